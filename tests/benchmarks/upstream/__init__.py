"""The upstream of the benchmarks, and what its models' names say of how it answers."""

SMALL = "-small"
"""A model whose stream comes in reads of 200 bytes."""
LIVE = "-live"
"""A model whose stream comes token by token, each with the time it was sent."""

LIVE_TOKENS = 100
TOKENS_A_SECOND = 50
