"""What a recipe is: how one client is told of the gateway."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from string import Template
from typing import Any

from django.utils.translation import gettext_lazy as _

from providers import snippets
from providers.models.kinds import CHAT

CODE, SDKS, VECTORS, TOOLS = (
    _("From your own code"),
    _("SDKs and frameworks"),
    _("Embeddings"),
    _("Coding agents"),
)
GROUPS = (CODE, SDKS, VECTORS, TOOLS)


def quoted(text: str) -> str:
    """Return a text as JSON, Python, TypeScript and YAML alike write it."""
    return json.dumps(text, ensure_ascii=False)


def plain(text: str) -> str:
    """Return a text as it is, for fields that are filled in."""
    return text


@dataclass(frozen=True)
class Recipe:
    """What to write, and where, so that a client calls the gateway.

    `example` names the snippet that the other pages show, too, in place of a template.
    `kind` is that of the models which the client asks for, `door` where it calls;
    `note` what there is to know before it is tried.
    """

    label: Any
    group: Any
    template: str = ""
    example: str = ""
    place: Any = ""
    prefix: str = ""
    quote: Callable[[str], str] = quoted
    link: str = ""
    door: str = "chat"
    kind: str = CHAT
    note: Any = ""

    def text(self, base: str, model: str, key: str = "") -> str:
        """Return the recipe with the gateway's address, a model and a key in it."""
        if self.example:
            return snippets.examples(base, model, key)[self.example]
        return Template(self.template).substitute(
            base=base,
            key=key or snippets.placeholder(),
            model=self.quote(model),
            name=self.quote(self.prefix + model),
        )
