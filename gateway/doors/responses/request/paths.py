"""Where things of the hub's request stand in the client's.

What refuses a request names the field in the hub's terms; the client reads its own.
"""

_FIELDS = {
    "messages": "input",
    "max_completion_tokens": "max_output_tokens",
    "max_tokens": "max_output_tokens",
    "reasoning_effort": "reasoning.effort",
    "verbosity": "text.verbosity",
    "response_format": "text.format",
    "response_format.json_schema": "text.format",
    "logprobs": "include",
    "web_search_options": "tools",
    "tool_choice.allowed_tools": "tool_choice",
}


class Paths:
    """Paths in the hub's request to those in the client's."""

    def __init__(self) -> None:
        self._known = dict(_FIELDS)

    def add(self, hub: str, client: str) -> None:
        """Note that what stands at `hub` came from `client`."""
        self._known[hub] = client

    def client(self, path: str) -> str:
        """Return the client's path; as it is where it is none of the hub's."""
        head = path
        while head not in self._known:
            end = max(head.rfind("."), head.rfind("["))
            if end < 0:
                return path
            head = head[:end]
        return self._known[head] + path[len(head) :].replace(".function", "", 1)
