"""The Agents pages."""
