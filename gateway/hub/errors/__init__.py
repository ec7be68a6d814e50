"""What upstreams say when they refuse, and what it means."""
