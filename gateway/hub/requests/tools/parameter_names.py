"""Names of a tool's parameters, in an alphabet narrower than the client's.

One name of another kind among the properties of a schema has Claude refuse the whole
request; those of the schemas within are not looked at:
https://github.com/aws-solutions-library-samples/accelerated-intelligent-document-processing-on-aws/issues/709
"""

import re
from collections.abc import Collection, Mapping
from hashlib import sha256
from types import MappingProxyType
from typing import Any

from gateway.hub.protocol import JSON

_is_plain = re.compile(r"[a-zA-Z0-9_.-]{1,64}").fullmatch
_replace_bad = re.compile(r"[^a-zA-Z0-9_.-]").sub

_SAME_OBJECT = frozenset({"else", "if", "not", "then"})
_BRANCHES = frozenset({"allOf", "anyOf", "oneOf"})
_BY_NAME = frozenset({"dependentRequired", "dependentSchemas", "properties"})


_NOTHING: Mapping[str, str] = MappingProxyType({})


def names_to_send(names: Collection[str]) -> Mapping[str, str]:
    """Return what to send for those of `names` that cannot be sent as they are.

    A pure function of them: the same on every turn of a conversation.
    """
    if all(map(_is_plain, names)):
        return _NOTHING
    sent: dict[str, str] = {}
    taken = set(names)
    for name in names:
        if not _is_plain(name):
            sent[name] = new = _new_name(name, taken)
            taken.add(new)
    return sent


def _new_name(name: str, taken: Collection[str]) -> str:
    digest = sha256(name.encode()).hexdigest()
    new = f"{_replace_bad('_', name)[:57]}_{digest[:6]}"
    while new in taken:
        digest = digest[1:] + "0"
        new = f"{new[:-6]}{digest[:6]}"
    return new


def renamed_schema(schema: JSON, sent: Mapping[str, str]) -> JSON:
    """Return the schema of an object whose properties are called as in `sent`.

    A renamed one tells its own name as its title. `schema` is not changed.
    """
    renamed = dict(schema)
    for keyword, value in schema.items():
        if keyword in _SAME_OBJECT and isinstance(value, dict):
            renamed[keyword] = renamed_schema(value, sent)
        elif keyword in _BRANCHES and isinstance(value, list):
            renamed[keyword] = [
                renamed_schema(each, sent) if isinstance(each, dict) else each
                for each in value
            ]
        elif keyword in _BY_NAME and isinstance(value, dict):
            renamed[keyword] = {
                sent.get(name, name): _under_name(keyword, name, each, sent)
                for name, each in value.items()
            }
        elif keyword == "required" and isinstance(value, list):
            renamed[keyword] = _renamed_list(value, sent)
    return renamed


def _under_name(keyword: str, name: str, value: Any, sent: Mapping[str, str]) -> Any:
    if keyword == "dependentRequired":
        return _renamed_list(value, sent) if isinstance(value, list) else value
    if keyword == "dependentSchemas":
        return renamed_schema(value, sent) if isinstance(value, dict) else value
    if name in sent and isinstance(value, dict):
        return {"title": name, **value}
    return value


def _renamed_list(names: list[Any], sent: Mapping[str, str]) -> list[Any]:
    return [sent.get(name, name) if isinstance(name, str) else name for name in names]


def renamed_arguments(arguments: JSON, names: Mapping[str, str]) -> JSON:
    """Return a call's arguments under other names, the values as they are."""
    return {names.get(name, name): value for name, value in arguments.items()}
