"""Framing of bytes on the wire; knows no vendor."""
