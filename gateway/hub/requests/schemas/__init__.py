"""JSON schemas: what a client writes, made into what an upstream accepts."""
