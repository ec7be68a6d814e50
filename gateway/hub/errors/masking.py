"""What must not be shown of an upstream's words: credentials, accounts, addresses."""

import re

_SECRETS = re.compile(
    r"""(?<![A-Za-z0-9])(?:
        sk-[A-Za-z0-9_*.-]{4,}              # OpenAI, Anthropic, many others
      | (?:AKIA|ASIA)[A-Z0-9*]{8,}          # AWS access keys
      | ABSK[A-Za-z0-9+/=_-]{16,}           # Bedrock API keys
      | (?:gsk|hf|xai|pplx|r8|nvapi)[_-][A-Za-z0-9_*-]{8,}
      | AIza[A-Za-z0-9_-]{16,}
      | org-[A-Za-z0-9]{12,}                # OpenAI's name of the account
      | eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_.-]+
    )|(?<=bearer\ )[^\s"',]{4,}|(?<=basic\ )[A-Za-z0-9+/]{8,}=*
    |(?<=x-api-key:\ )\S{4,}""",
    re.VERBOSE | re.IGNORECASE,
)
_ACCOUNT = re.compile(r"(arn:aws[\w-]*:[\w-]*:[\w-]*:)\d{12}(?=:)")
# A plain link into a vendor's documentation helps; any other address may be internal.
_ADDRESS = re.compile(r"\bhttps?://[^\s\"'<>)]+", re.IGNORECASE)
_PLAIN_LINK = re.compile(
    r"https://(?=[^/]*[a-z])[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z]{2,}(/[\w./#-]*)?",
    re.IGNORECASE,
)


def mask(text: str) -> str:
    """Return `text` without credentials, AWS account ids and private addresses."""
    text = _SECRETS.sub("[redacted]", text)
    text = _ACCOUNT.sub(r"\1[redacted]", text)
    return _ADDRESS.sub(
        lambda found: found[0] if _PLAIN_LINK.fullmatch(found[0]) else "[address]",
        text,
    )
