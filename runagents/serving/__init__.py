"""How the server runs: gunicorn's configuration, worker and logs, the key file."""
