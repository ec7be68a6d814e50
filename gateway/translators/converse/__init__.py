"""Bedrock's Converse."""
