"""Plain requests, as nearly all are: read and answered past most of gunicorn."""
