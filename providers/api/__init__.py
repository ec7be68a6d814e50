"""The objects of `/api/v1` and of registry files: read, checked, written."""
