"""What a process of the gateway knows and keeps running."""
