"""Which servers are sent the Responses API as it is, and which are sent a translation.

Many servers have the path and lose half of what is sent there: tools in namespaces,
custom tools, reasoning. Only who is known to do it in full gets it unasked.
https://github.com/openai/codex/issues/23186
https://github.com/vllm-project/vllm/issues/49493
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

HOME = "api.openai.com"
"""The vendor's own, which its clients tell of their machine."""

_IN_FULL = re.compile(
    r"(?:[a-z0-9-]+\.)*api\.openai\.com"
    r"|[a-z0-9-]+\.(?:openai\.azure|services\.ai\.azure)\.com"
    r"|bedrock-mantle\.[a-z0-9-]+\.api\.aws"
)
"""https://learn.microsoft.com/azure/foundry/openai/how-to/responses
https://docs.aws.amazon.com/bedrock/latest/userguide/bedrock-mantle.html
"""


def speaks_responses(host: str, options: Mapping[str, Any]) -> bool:
    """Tell whether a host is sent the Responses API as it is."""
    chosen = options.get("responses_api") or "auto"
    return chosen == "on" or (chosen == "auto" and _is_known(host))


@lru_cache(maxsize=256)
def _is_known(host: str) -> bool:
    return _IN_FULL.fullmatch(host) is not None
