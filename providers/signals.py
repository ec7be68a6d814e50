"""What this app and those above it announce, for whoever keeps a log of it."""

from django.dispatch import Signal

exported = Signal()
"""Somebody took `what` out as a file."""

resealed = Signal()
"""`count` stored secrets were moved to another encryption key."""
