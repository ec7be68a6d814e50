"""The Connect page: a recipe for each client, and what came of its first request."""
