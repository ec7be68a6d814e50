"""Agents over HTTP, as RunAgents' own API has them."""
