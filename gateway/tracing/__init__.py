"""What joins lines of logs, calls and the traces of others."""
