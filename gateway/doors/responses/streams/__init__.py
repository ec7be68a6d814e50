"""A streamed answer: events, numbered, of items that are told piece by piece."""
