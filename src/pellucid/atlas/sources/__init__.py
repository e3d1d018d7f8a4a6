"""What a stream can come from: folders, tables, tar shards and data sets."""
