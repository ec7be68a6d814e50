"""Tools: what is offered and chosen, and the calls that a conversation holds."""
