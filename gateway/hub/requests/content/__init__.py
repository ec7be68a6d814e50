"""Content parts of a message: what they hold, read once for all upstreams."""
