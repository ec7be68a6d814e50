"""A streamed answer: chunks to events."""
