"""The formats we can call: one module per upstream format."""
