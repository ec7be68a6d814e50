"""The Requests pages: the list, one call in full, and the list as a file."""
