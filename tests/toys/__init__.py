"""A provider format and a door that nobody has: what adding one takes, and no more."""
