"""How servers of OpenAI's format say that they do not know a field of the request."""

import re

_UNKNOWN = (
    r"(?:unknown|unrecogni[sz]ed|extra|unexpected|unsupported)"
    r"|(?:not|n't) (?:be )?(?:supported|permitted|allowed|support)"
)


def named_unknown(field: str) -> re.Pattern[str]:
    """Return what finds that a field of the request is not known to a server."""
    return re.compile(
        rf"\b{field}\b.*?(?:{_UNKNOWN})|(?:{_UNKNOWN}).*?\b{field}\b",
        re.IGNORECASE | re.DOTALL,
    )
