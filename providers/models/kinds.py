"""What a model is for: conversations, or vectors of texts.

An administrator's word decides (capability `kind`), else the model's name.
"""

import re
from collections.abc import Mapping
from functools import lru_cache

from django.utils.translation import gettext_lazy as _

CHAT, EMBEDDING = "chat", "embedding"
LABELS = {CHAT: _("Chat"), EMBEDDING: _("Embeddings")}
KINDS = tuple(LABELS)

_EMBEDDING = re.compile(
    r"text-embedding|embed|(^|[ /._-])(bge|e5|gte)-|minilm", re.IGNORECASE
)


BEHIND = ("upstream_id", "base_model", "capabilities")
"""Columns of a model that `kind_of` takes after its id."""


def kind_of(
    model_id: str,
    upstream_id: str = "",
    base_model: str = "",
    capabilities: Mapping[str, object] | None = None,
) -> str:
    """Return the kind of a model; its other ids tell where its own does not.

    >>> kind_of("docs", "amazon.titan-embed-text-v2:0")
    'embedding'
    """
    told = (capabilities or {}).get("kind")
    if told in KINDS:
        return str(told)
    return _by_name(f"{model_id} {upstream_id} {base_model}")


@lru_cache(maxsize=4096)
def _by_name(names: str) -> str:
    return EMBEDDING if _EMBEDDING.search(names) else CHAT
