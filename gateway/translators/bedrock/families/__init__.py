"""The model families that Bedrock hosts, each with a body of its own."""
