"""The client's body as Bedrock takes it: what goes, and what is said otherwise."""
