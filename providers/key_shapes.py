"""What keys look like: the one table for all that must find them or not show them.

Pure, and of the standard library alone, so that every room may use it. A key of a kind
that is missing here is shown, stored and overlooked everywhere: add a row. Formats are
the vendors' own and those of public scanners:

https://docs.github.com/en/code-security/reference/secret-security/supported-secret-scanning-patterns
https://github.com/gitleaks/gitleaks/blob/master/config/gitleaks.toml
https://github.com/trufflesecurity/trufflehog/tree/main/pkg/detectors

A pattern asks for about half of a real key's length: keys are cut when they are copied,
and vendors change lengths. Each is bounded or a single run of one class, so that no
text, however hostile, takes more than a moment.
"""

import re
from typing import NamedTuple

REDACTED = "[redacted]"


class Shape(NamedTuple):
    """One kind of key.

    `beside` is what must stand before a key that is recognised by nothing else. The
    `example` is made up and put together here, so that scanners of this repository
    find no key in it.
    """

    name: str
    pattern: str
    example: str = ""
    beside: str = ""


_MADE_UP = "a1B2c3D4e5F6g7H8" * 12
_HEX = "0123456789abcdef" * 4

# Of letters alone a name may be made, as are the style classes sk-fading-circle and
# sk-container-id-1; a key has digits amid them, both cases, or is long.
_NO_WORDS = (
    r"(?=[A-Za-z0-9_-]{0,40}?(?:[0-9][A-Za-z]|[A-Za-z][0-9]|[0-9]{4}|[a-z][A-Z]"
    r"|[A-Za-z0-9]{20}))"
)
# Between a name and its value: in a file, a header, code, JSON, or JSON in JSON.
_IS = r"[\"'`\\]{0,4}\s{0,4}(?:[:=]>?|is\b)\s{0,4}[\"'`\\]{0,4}"
_PEM = r"[A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"

SHAPES: tuple[Shape, ...] = (
    Shape(
        "Anthropic API key",
        r"sk-ant-[A-Za-z0-9_-]{8,}",
        f"sk-ant-api03-{_MADE_UP[:95]}",
    ),
    Shape("OpenRouter API key", r"sk-or-[A-Za-z0-9_-]{8,}", f"sk-or-v1-{_HEX}"),
    Shape(
        "OpenAI API key",
        r"sk-(?:proj|svcacct|service|admin)-[A-Za-z0-9_-]{8,}",
        f"sk-proj-{_MADE_UP[:156]}",
    ),
    # DeepSeek, Moonshot, LiteLLM and many others give keys of OpenAI's old form.
    Shape("OpenAI API key", rf"sk-{_NO_WORDS}[A-Za-z0-9_-]{{8,}}", f"sk-{_HEX[:32]}"),
    Shape("ElevenLabs API key", r"sk_[0-9a-f]{24,}", f"sk_{_HEX[:48]}"),
    Shape(
        "Stripe key",
        r"[rsp]k_(?:live|test|prod)_[A-Za-z0-9]{10,}",
        f"sk_live_{_MADE_UP[:24]}",
    ),
    Shape(
        "AWS access key",
        r"(?:AKIA|ASIA)[A-Z0-9]{16,}",
        f"AKIA{_MADE_UP.upper()[:16]}",
    ),
    # base64 of "BedrockAPIKey-...", long-term; and of the address signed, short-term.
    Shape(
        "Bedrock API key",
        r"ABSK[A-Za-z0-9+/]{16,}={0,2}",
        f"ABSKQmVkcm9ja0FQSUtleS{_MADE_UP[:110]}=",
    ),
    Shape(
        "Bedrock API key",
        r"bedrock-api-key-YmVkcm9jay[A-Za-z0-9+/_-]{8,}={0,2}",
        f"bedrock-api-key-YmVkcm9jay5hbWF6b25hd3MuY29t{_MADE_UP}",
    ),
    Shape("Google API key", r"AIza[A-Za-z0-9_-]{20,}", f"AIza{_MADE_UP[:35]}"),
    Shape(
        "Hugging Face token",
        r"(?:hf|api_org)_[A-Za-z0-9]{16,}",
        f"hf_{_MADE_UP[:34]}",
    ),
    Shape("Groq API key", r"gsk_[A-Za-z0-9]{16,}", f"gsk_{_MADE_UP[:52]}"),
    Shape(
        "xAI API key", rf"xai-{_NO_WORDS}[A-Za-z0-9_]{{16,}}", f"xai-{_MADE_UP[:80]}"
    ),
    Shape("Perplexity API key", r"pplx-[A-Za-z0-9]{16,}", f"pplx-{_MADE_UP[:48]}"),
    Shape(
        "Replicate API token",
        rf"r8_{_NO_WORDS}[A-Za-z0-9_-]{{16,}}",
        f"r8_{_MADE_UP[:37]}",
    ),
    Shape(
        "NVIDIA API key",
        rf"nvapi-{_NO_WORDS}[A-Za-z0-9_-]{{16,}}",
        f"nvapi-{_MADE_UP[:64]}",
    ),
    Shape("GitHub token", r"gh[pousr]_[A-Za-z0-9]{16,}", f"ghp_{_MADE_UP[:36]}"),
    Shape(
        "GitHub token",
        r"github_pat_[A-Za-z0-9]{16,}(?:_[A-Za-z0-9]{1,100})?",
        f"github_pat_{_MADE_UP[:22]}_{_MADE_UP[:59]}",
    ),
    Shape(
        "GitLab token",
        r"gl(?:pat|dt|rt|ptt|cbt|oas|soat|agent)-[A-Za-z0-9_-]{16,}(?:\.[a-z0-9]{2,12})*",
        f"glpat-{_MADE_UP[:20]}",
    ),
    Shape(
        "Slack token",
        r"(?:xox[abeoprs]|xapp)-[A-Za-z0-9-]{10,}",
        f"xoxb-123456789012-1234567890123-{_MADE_UP[:24]}",
    ),
    Shape(
        "JSON web token",
        r"eyJ[A-Za-z0-9_-]{8,500}\.[A-Za-z0-9_.-]{8,}",
        f"eyJhbGciOiJIUzI1NiJ9.eyJ{_MADE_UP[:40]}.{_MADE_UP[:43]}",
    ),
    Shape(
        "private key",
        rf"-{{1,5}}BEGIN {_PEM}[\s\S]*?(?:-----END {_PEM}|\Z)",
        f"-----BEGIN RSA PRIVATE {'KEY'}-----\n{_MADE_UP}\n"
        f"-----END RSA PRIVATE {'KEY'}-----",
    ),
    # providers/keys.py and providers/starter.py make them.
    Shape("RunAgents key", r"ra_(?:ag|ws)_[A-Za-z0-9]{8,}", f"ra_ag_{_MADE_UP[:38]}"),
    Shape("RunAgents key", r"sandbox-[0-9a-f]{32,}", f"sandbox-{_HEX}"),
    Shape(
        "bearer token",
        r"(?=[A-Za-z._~+/=-]{0,100}[0-9]|[A-Za-z0-9._~+/=-]{16})[A-Za-z0-9._~+/=-]{8,}",
        f"Bearer {_MADE_UP[:32]}",
        beside=r"(?i:bearer)\s{1,4}",
    ),
    # base64 of name and password; a word has no digit and no end mark.
    Shape(
        "password",
        r"(?=[A-Za-z+/]{0,200}[0-9=])[A-Za-z0-9+/]{8,}={0,2}",
        f"Basic {_MADE_UP[:31]}=",
        beside=r"(?i:basic)\s{1,4}",
    ),
    Shape(
        "AWS secret access key",
        r"[A-Za-z0-9+/]{40}(?![A-Za-z0-9+/])",
        f'"aws_secret_access_key": "{_MADE_UP[:40]}"',
        beside=rf"(?i:secret[_-]?(?:access[_-]?)?key){_IS}",
    ),
    Shape(
        "AWS session token",
        r"[A-Za-z0-9+/]{64,}={0,2}",
        f"AWS_SESSION_TOKEN={_MADE_UP}",
        beside=rf"(?i:(?:session|security)[_-]?token){_IS}",
    ),
    # Azure OpenAI and others: hexadecimal, or 84 letters and digits, and nothing else.
    Shape(
        "API key",
        r"(?:[0-9A-Fa-f]{32,64}|[A-Za-z0-9]{84})(?![A-Za-z0-9])",
        f"api-key: {_HEX[:32]}",
        beside=rf"(?i:(?:api|subscription|account)[ _-]?key){_IS}",
    ),
)

# Vendors quote the key that they refuse: a part of it, or with stars amid it. Looser
# than what people's texts are searched for.
_PIECES = (
    Shape(
        "piece",
        r"sk-(?=[A-Za-z0-9_-]{0,40}?(?:[0-9][A-Za-z]|[A-Za-z][0-9]|[0-9]{4}|[A-Z*]"
        r"|\.\.))[A-Za-z0-9_*.-]{4,}",
    ),
    Shape("piece", r"(?:AKIA|ASIA)[A-Z0-9*]{8,}"),
    Shape(
        "piece",
        r"(?:gsk_|hf_|xai-|pplx-|r8_|nvapi-|ABSK|AIza|gh[pousr]_)"
        r"(?=[A-Za-z_-]{0,40}[0-9*])[A-Za-z0-9_*-]{8,}",
    ),
)
_PIECES_BESIDE = (
    # Not the words of an advice such as "use Bearer authentication".
    Shape(
        "piece",
        r"(?!(?i:auth|token|scheme|header|format|credential|realm))[^\s\"',<{$]{4,}",
        beside=r"(?:Bearer|BEARER)\s{1,4}",
    ),
    Shape("piece", r"\S{4,}", beside=r"(?i:x-api-key):\s{1,4}"),
)

# No letter or digit before it, but for one that ends an escape: "\n", "%3D".
_START = r"(?<!(?<!\\)(?<!%[0-9A-F])[A-Za-z0-9])"

# Those that are told by themselves first: "Bearer sk-..." is more than some token.
_BARE = tuple(shape for shape in SHAPES if not shape.beside)
_BESIDE = tuple(shape for shape in SHAPES if shape.beside)


def _any_of(shapes: tuple[Shape, ...]) -> re.Pattern[str]:
    """Return what finds any of `shapes`; its only group is what stands before the key.

    Keys that are told by themselves get no group: an alternative that begins with a
    letter is left at that letter, which takes half the time.
    """
    each = (f"({s.beside}){s.pattern}" if s.beside else s.pattern for s in shapes)
    return re.compile(f"{_START}(?:{'|'.join(each)})")


_PATTERNS = (_any_of(_BARE), _any_of(_BESIDE))
_QUOTED_PATTERNS = (_any_of(_PIECES), _any_of(_PIECES_BESIDE), *_PATTERNS)


def shape_in(text: str) -> tuple[Shape, str] | None:
    """Return the shape of a key in `text` and what is shaped so, if there is one."""
    if bare := _PATTERNS[0].search(text):
        shapes = (each for each in _BARE if re.fullmatch(each.pattern, bare[0]))
        return next(shapes), bare[0]
    if beside := _PATTERNS[1].search(text):
        group = beside.lastindex or 1
        return _BESIDE[group - 1], beside[0].removeprefix(beside[group])
    return None


def redacted(text: str, *, quoted: bool = False) -> str:
    """Return `text` without what is shaped like a key.

    `quoted` for the words of a vendor, who may show a part of the key that it refuses.

    >>> redacted("Authorization: Bearer 0123456789")
    'Authorization: Bearer [redacted]'
    """
    for pattern in _QUOTED_PATTERNS if quoted else _PATTERNS:
        text = pattern.sub(_marked, text)
    return text


def redacted_under(name: str, value: str) -> str:
    """Return `value` without keys, those included that only their `name` tells.

    >>> redacted_under("api_key", "0123456789abcdef0123456789abcdef")
    '[redacted]'
    """
    label = f"{name}: "
    text = redacted(label + value)
    return text.removeprefix(label) if text.startswith(label) else redacted(value)


def _marked(found: re.Match[str]) -> str:
    """Return what stands before a key, and a mark in the key's place."""
    return (found[found.lastindex] if found.lastindex else "") + REDACTED
