"""Real clients, as they come, against the gateway with every kind of provider."""
