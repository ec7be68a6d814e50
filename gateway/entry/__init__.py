"""The way in and out over HTTP; no format of anybody."""
