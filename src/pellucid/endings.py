"""Endings: what the names of files with pictures end in."""

PICTURES = frozenset({
    ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".webp", ".avif", ".gif", ".tif", ".tiff",
    ".bmp", ".jp2", ".ppm", ".pgm", ".ico",
})  # fmt: skip
