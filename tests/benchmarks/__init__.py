"""Measurements, each a command that prints a table; nothing here is a test."""
