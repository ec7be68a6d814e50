"""What must not be shown of an upstream's words: credentials, accounts, addresses."""

import re

from providers import key_shapes

# OpenAI's name of the account.
_ORGANISATION = re.compile(r"(?<![A-Za-z0-9])org-[A-Za-z0-9]{12,}")
_ACCOUNT = re.compile(r"(arn:aws[\w-]*:[\w-]*:[\w-]*:)\d{12}(?=:)")
# A plain link into a vendor's documentation helps; any other address may be internal.
_ADDRESS = re.compile(r"\bhttps?://[^\s\"'<>)]+", re.IGNORECASE)
_PLAIN_LINK = re.compile(
    r"https://(?=[^/]*[a-z])[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z]{2,}(/[\w./#-]*)?",
    re.IGNORECASE,
)


def mask(text: str) -> str:
    """Return `text` without credentials, AWS account ids and private addresses."""
    text = key_shapes.redacted(text, quoted=True)
    text = _ORGANISATION.sub(key_shapes.REDACTED, text)
    text = _ACCOUNT.sub(rf"\1{key_shapes.REDACTED}", text)
    return _ADDRESS.sub(
        lambda found: found[0] if _PLAIN_LINK.fullmatch(found[0]) else "[address]",
        text,
    )
