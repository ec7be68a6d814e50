"""Backups: database and key files as one moment left them, in one file, and back."""
