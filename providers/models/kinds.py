"""What a model is for: conversations, or vectors of texts.

An administrator's word decides (capability `kind`), else the model's name.
"""

import re
from collections.abc import Mapping
from functools import lru_cache

CHAT, EMBEDDING = "chat", "embedding"
KINDS = (CHAT, EMBEDDING)

_EMBEDDING = re.compile(
    r"text-embedding|embed|(^|[ /._-])(bge|e5|gte)-|minilm", re.IGNORECASE
)


def kind_of(
    model_id: str, behind: str = "", capabilities: Mapping[str, object] | None = None
) -> str:
    """Return the kind of a model; `behind` is the id that it really has, if another.

    >>> kind_of("docs", "amazon.titan-embed-text-v2:0")
    'embedding'
    """
    told = (capabilities or {}).get("kind")
    return str(told) if told in KINDS else _by_name(f"{model_id} {behind}")


@lru_cache(maxsize=4096)
def _by_name(names: str) -> str:
    return EMBEDDING if _EMBEDDING.search(names) else CHAT
