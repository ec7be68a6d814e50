"""Python, read by `ast`."""
