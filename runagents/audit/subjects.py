"""What the audit log speaks of: the kinds of rows, and the words for their columns."""

from collections.abc import Callable
from typing import Any, NamedTuple

from django.contrib.auth.models import User
from django.db import models

from providers.models import (
    BodyWindow,
    ModelProvider,
    OAuthToken,
    ProviderModel,
    Secret,
    WorkspaceKey,
)
from runagents.agents.models import Agent, AgentKey, Wire
from runagents.models import SignInLink


class Subject(NamedTuple):
    """What the log says of a kind of row.

    `names` maps columns to the words for them; columns that stand for nothing anybody
    decided are mapped to an empty word.
    """

    kind: str
    label: Callable[[Any], str]
    names: dict[str, str] = {}


_KEY_NAMES = {
    "prefix": "key",
    "last4": "key",
    "digest": "key",
    "created_at": "",
    "last_used_at": "",
    "paused_at": "paused",
    "models": "reach",
}

SUBJECTS: "dict[type[models.Model], Subject]" = {
    ModelProvider: Subject(
        "model provider",
        str,
        dict.fromkeys(
            (
                "uid",
                "status",
                "status_message",
                "status_checked_at",
                "version",
                "created_at",
                "updated_at",
            ),
            "",
        ),
    ),
    ProviderModel: Subject("model", lambda row: f"{row.provider}/{row.model_id}"),
    Secret: Subject(
        "secret",
        str,
        {
            "sealed": "values",
            "keys": "values",
            "hints": "values",
            "uid": "",
            "entered_at": "",
            "created_at": "",
        },
    ),
    OAuthToken: Subject(
        "OAuth token",
        lambda row: str(row.provider),
        {
            "sealed": "token",
            "connected_at": "token",
            "expires_at": "token",
            "refresh_lease": "",
            "updated_at": "",
        },
    ),
    WorkspaceKey: Subject("API key", str, _KEY_NAMES),
    Agent: Subject("agent", str, {"created_at": ""}),
    AgentKey: Subject("agent key", lambda row: f"{row.agent}: {row}", _KEY_NAMES),
    Wire: Subject("wire", lambda row: f"{row.agent}: {row.role}"),
    User: Subject(
        "user",
        str,
        {
            "last_login": "",
            "date_joined": "",
            "is_staff": "role",
            "is_superuser": "role",
            "is_active": "access",
        },
    ),
    BodyWindow: Subject("keeping of bodies", str, {"created_at": ""}),
    SignInLink: Subject(
        "sign-in link", str, {"digest": "", "created_at": "", "expires_at": ""}
    ),
}


EXPORTS = ("registry", "requests", "usage")
"""What is taken out as a file."""

PROPOSALS = ("model list",)
"""Of what changes are proposed, which a person may dismiss."""

KINDS = sorted({*(each.kind for each in SUBJECTS.values()), *EXPORTS, *PROPOSALS})
"""What the log may speak of: rows, and what is exported as a whole."""
