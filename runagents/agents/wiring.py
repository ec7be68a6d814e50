"""From an agent and its wires to the environment it runs with. Pure functions.

The names are those that RunAgents gives its agents, so that code written for it runs
here unchanged: https://docs.runagents.io/platform/agent-runtime/.
"""

import re
import shlex
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from typing import NamedTuple

from providers.keys import PLATFORM_MANAGED
from providers.models.kinds import CHAT
from providers.vendors import VENDORS
from providers.vendors.vendor import Vendor

CHAT_PATH = "/v1/chat/completions"
ECHO_TOOL = "echo-tool"
ECHO_TOOL_PATH = f"/tools/{ECHO_TOOL}"

# What code may call a variable that names a model.
OWN_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*(?:MODEL|DEPLOYMENT)[A-Z0-9_]*")

DEFAULT_ROLES = ("default", "chat")
"""Roles whose model is the agent's `LLM_MODEL`, the first that is wired."""


class Connection(NamedTuple):
    """One wire, without its rows: a role's provider and model.

    `variable` is the name that the agent's code itself has for the model, if any,
    `kind` what the model is for, `window` how many tokens it reads, if that is known.
    """

    role: str
    provider_name: str
    provider_type: str
    model_id: str
    variable: str = ""
    kind: str = CHAT
    window: int | None = None


def environment(
    name: str,
    connections: Iterable[Connection],
    base_url: str,
    *,
    key: str = "",
    system_prompt: str = "",
    tools: Collection[str] = (),
    doors: Collection[str] = (),
) -> dict[str, str]:
    """Return the environment of the agent `name`, in the order it is shown.

    `base_url` is the gateway's address without a path. `key` is the agent's key where
    it was just created; it is stored nowhere, so that later `platform-managed` stands
    for it. `LLM_GATEWAY_URL` is the full URL of chat completions: agents post to it as
    it is, and SDKs that append a path are answered there too. Of the `tools` that the
    code asks for those are told that are served here; `doors` are where it calls.
    """
    base = base_url.rstrip("/")
    key = key or PLATFORM_MANAGED
    values = {"AGENT_NAME": name, "LLM_GATEWAY_URL": base + CHAT_PATH}
    wired = list(connections)
    main = main_connection(wired)
    if main is not None:
        values["LLM_MODEL"] = main.model_id
        values["LLM_PROVIDER"] = main.provider_type
        values["LLM_PROVIDER_NAME"] = main.provider_name
    for connection in wired:
        suffix = variable_name(connection.role)
        values[f"LLM_MODEL_{suffix}"] = connection.model_id
        values[f"LLM_PROVIDER_{suffix}"] = connection.provider_type
    for connection in wired:
        if OWN_VARIABLE.fullmatch(connection.variable):
            values.setdefault(connection.variable, connection.model_id)
    if system_prompt:
        values["SYSTEM_PROMPT"] = system_prompt
    values |= _of_vendors(base, key, _chatting(wired), doors)
    if ECHO_TOOL in tools:
        values["TOOL_URL_ECHO_TOOL"] = base + ECHO_TOOL_PATH
    return values


def _chatting(connections: list[Connection]) -> Connection | None:
    """Return the connection whose model the agent talks with."""
    return main_connection(each for each in connections if each.kind == CHAT)


def _of_vendors(
    base: str, key: str, main: Connection | None, doors: Collection[str]
) -> dict[str, str]:
    """Return what the vendors' own SDKs read, so that they call the gateway.

    A variable of which something is not known is left out.
    """
    values: dict[str, str] = {}
    for name, vendor in VENDORS.items():
        if vendor.is_spoken_by_few and name not in doors:
            continue
        known = {"base": base, "key": key, **_model_for(vendor, main)}
        for variable, template in vendor.environment.items():
            with suppress(KeyError):
                values[variable] = template.format_map(known)
    return values


def _model_for(vendor: Vendor, main: Connection | None) -> dict[str, str]:
    """Return what a vendor's SDKs are told of the model that the agent talks with."""
    if main is None:
        return {}
    told = {"model": main.model_id}
    ours = vendor.known_windows
    if main.window and not (ours and main.model_id.startswith(ours)):
        told["window"] = str(main.window)
    return told


def key_variables() -> list[str]:
    """Return the names of the variables that hold an agent's key."""
    values = _of_vendors("", "key", None, VENDORS)
    return [name for name, value in values.items() if value == "key"]


def main_connection(connections: Iterable[Connection]) -> Connection | None:
    """Return the connection behind `LLM_MODEL`: the default role's, or the first."""
    wired = list(connections)
    for role in DEFAULT_ROLES:
        for connection in wired:
            if connection.role == role:
                return connection
    return wired[0] if wired else None


def variable_name(text: str) -> str:
    """Return `text` as part of a variable's name.

    >>> variable_name("re-ranking")
    'RE_RANKING'
    """
    return re.sub(r"[^A-Z0-9]+", "_", text.upper()).strip("_")


def dotenv(values: Mapping[str, str]) -> str:
    """Return `values` as the text of a `.env` file that shells can source, too."""
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items())
