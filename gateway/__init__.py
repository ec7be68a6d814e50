"""The data plane: POST /v1/chat/completions and what it needs."""
