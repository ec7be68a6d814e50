"""How the server runs: gunicorn's configuration and worker, logs, the key file."""
