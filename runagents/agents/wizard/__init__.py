"""Upload, Wire, Deploy."""
