"""What it costs to run in production: what is switched on there, and backups."""
