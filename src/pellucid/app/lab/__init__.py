"""The lab: a page on this machine where everything can be tried."""
