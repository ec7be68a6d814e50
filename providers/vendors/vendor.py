"""What there is to know about a type of provider: data, and a few pure functions."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.utils.functional import Promise

JSON = dict[str, Any]

TRIAL_TEXT = "Say hi."
TRIAL_INPUT = "test"
"""What is embedded for a trial."""


class Question(NamedTuple):
    """One GET request and how to read model ids from its JSON answer.

    `read` returns None for an answer that is not of the expected kind.
    """

    base: str
    path: str
    read: Callable[[Any], list[str] | None]


class Described(NamedTuple):
    """Where a server describes a model that is named to it, and how to read its kind.

    `read` returns "chat", "embedding", or nothing where the answer does not tell.
    """

    path: str
    read: Callable[[Any], str]


def _is_listed(model: str, found: Collection[str]) -> bool:
    return model in found


def _no_excuse(headers: Mapping[str, str], message: str) -> str:
    return ""


def _no_region(endpoint: str) -> str:
    return ""


def _no_regions() -> frozenset[str]:
    return frozenset()


@dataclass(frozen=True)
class Vendor:
    """One type of provider. Only what has no default must be said.

    How it looks: `label` is its name, `note` one line about it, `logo` a symbol in
    static/vendor/lobehub-icons/logos.svg.

    Where it is: `endpoint` may hold ``{region}``, which `region_of` finds again in an
    address; `regions` are those that are known. `endpoint_help` says what to enter.
    `chat_path` follows it in calls, `responses_path` in those of the Responses API,
    where its servers may have that. `pasted_tails` are ends of addresses that people
    paste along. `is_local` tells that it usually runs on a private network, and
    `listens_with` is the variable that lets its server answer to containers.

    As whom it is called: the usual `auth_type`, and the header that carries a key.

    What it offers: `example_models`, and the `options` that its translator reads beside
    those that hold everywhere (providers/options/table.py). `price_list` is the one in
    genai-prices that holds wherever its endpoint is; without one, as for a format that
    many vendors speak, the endpoint tells. `environment` is what its SDKs read, with
    ``{base}`` and ``{key}`` for the gateway's address and an agent's key, ``{model}``
    for the model that it chats with, and ``{window}`` for how many tokens that reads,
    where it is none whose `known_windows` the SDKs know. With `is_spoken_by_few` only
    agents whose code speaks the format are given it: other programs read it, too.

    How it is checked: `questions` returns what to ask at an endpoint, the first of them
    telling whether it works. `headers` and `option_headers` (by option) go along.
    `is_listed` tells whether a model is among those listed. `excuse` looks at a refusal
    (headers with lower-case names, the message) and returns a sentence where the
    provider may be called nevertheless. `described` tells what a model is for, where
    names do not. `trial` returns path and body of the smallest
    call of a model, `embedding_trial` of one that makes vectors, where there are such.
    """

    label: str
    chat_path: str
    questions: Callable[[str], list[Question]]
    trial: Callable[[str, str], tuple[str, JSON]]

    note: str | Promise = ""
    logo: str = ""

    endpoint: str = ""
    region_of: Callable[[str], str] = _no_region
    regions: Callable[[], frozenset[str]] = _no_regions
    endpoint_help: str | Promise = ""
    responses_path: str = ""
    pasted_tails: tuple[str, ...] = ()
    is_local: bool = False
    listens_with: str = ""

    auth_type: str = "api_key"
    header_name: str = "Authorization"
    value_prefix: str = "Bearer "

    example_models: str = ""
    options: tuple[str, ...] = ()
    price_list: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    known_windows: str = ""
    is_spoken_by_few: bool = False

    headers: Mapping[str, str] = field(default_factory=dict)
    option_headers: Mapping[str, str] = field(default_factory=dict)
    is_listed: Callable[[str, Collection[str]], bool] = _is_listed
    excuse: Callable[[Mapping[str, str], str], str] = _no_excuse
    described: Described | None = None
    embedding_trial: Callable[[str, str], tuple[str, JSON]] | None = None

    @property
    def has_regions(self) -> bool:
        """Whether it is in several places, one of which must be named."""
        return "{region}" in self.endpoint

    @property
    def key_fields(self) -> dict[str, str]:
        """How it takes its key, by form field name."""
        return {"header_name": self.header_name, "value_prefix": self.value_prefix}
