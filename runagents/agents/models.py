"""Agents, their keys, and which models they are wired to."""

import uuid
from datetime import datetime

from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from providers import keys
from providers.models import (
    NAME_RULE,
    Announced,
    IssuedKey,
    ModelProvider,
    ProviderModel,
)


class Agent(Announced):
    """A program that calls the gateway.

    `access` says which models its keys reach: exactly those of its wires, or all of
    them (an agent made by `createkey`, before anyone wired it).
    """

    class Access(models.TextChoices):
        WIRED = "wired", _("The models it is wired to")
        ALL = "all", _("Every model")

    name = models.CharField(
        _("name"),
        max_length=63,
        unique=True,
        validators=[NAME_RULE],
        error_messages={"unique": _("An agent with this name exists.")},
    )
    access = models.CharField(
        max_length=8, choices=Access.choices, default=Access.WIRED
    )
    system_prompt = models.TextField(_("system prompt"), blank=True)
    # Names of the tools that its code asks for.
    tools = models.JSONField(default=list, blank=True, editable=False)
    # Names of the gateway's doors that its code calls at.
    doors = models.JSONField(default=list, blank=True, editable=False)
    # Built-in agents have their source in this project and can be run from their page.
    builtin = models.CharField(max_length=32, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        verbose_name = _("agent")

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Return the agent's page in the console."""
        return reverse("agent-detail", args=[self.name])

    def unserved(self) -> "models.QuerySet[Wire]":
        """Return the wires to models that their provider serves no more."""
        served = ProviderModel.objects.filter(
            provider=models.OuterRef("provider"), model_id=models.OuterRef("model_id")
        )
        return self.wires.select_related("provider").filter(~models.Exists(served))


class Draft(models.Model):
    """An agent on its way through the wizard: what its code needs, how it is wired.

    `analysis` is what reading the code found (`detection.Analysis`), without the code;
    `needs` the cards of the Wire step (`drafts.Need`). Both are kept as plain JSON.
    """

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(_("name"), max_length=63, blank=True)
    analysis = models.JSONField(default=dict, blank=True)
    needs = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-updated_at"]
        verbose_name = _("draft")

    def __str__(self) -> str:
        return self.name or str(self.uid)

    def url(self, step: str = "agent-draft-wire") -> str:
        """Return the address of a step of the wizard for this draft."""
        return f"{reverse(step)}?draft={self.uid}"

    @property
    def wired(self) -> int:
        """How many of its roles have a model."""
        return sum(bool(need.get("model_id")) for need in self.needs)

    @classmethod
    def named_by(cls, text: str) -> "Draft | None":
        """Return the draft that an address names; None for a wrong or old one."""
        try:
            uid = uuid.UUID(text)
        except ValueError:
            return None
        return cls.objects.filter(uid=uid).first()


class AgentKey(IssuedKey):
    """A key that identifies an agent; `models` narrows what it reaches further."""

    agent = models.ForeignKey(Agent, models.CASCADE, related_name="keys")
    name = models.CharField(_("name"), max_length=63, blank=True)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = _("agent key")

    def __str__(self) -> str:
        return f"{self.prefix}_…{self.last4}"

    @classmethod
    def issue(
        cls,
        agent: Agent,
        models: list[str] | None = None,
        name: str = "",
        expires_at: datetime | None = None,
    ) -> keys.NewKey:
        """Create a key of `agent`; the answer holds the only copy of it."""
        key = keys.generate(keys.AGENT_PREFIX)
        row = cls(agent=agent, models=models or [], name=name, expires_at=expires_at)
        row.take(key)
        row.save()
        return key


class Wire(Announced):
    """Connects a role in an agent's code to one model of a provider."""

    agent = models.ForeignKey(Agent, models.CASCADE, related_name="wires")
    role = models.CharField(_("role"), max_length=63, default="default")
    provider = models.ForeignKey(ModelProvider, models.PROTECT, related_name="wires")
    model_id = models.CharField(_("model"), max_length=512)
    file = models.CharField(max_length=255, blank=True)
    line = models.PositiveIntegerField(null=True, blank=True)
    # What the code calls the environment's variable that names the model.
    variable = models.CharField(max_length=255, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["agent", "role"], name="one_wire_per_agent_and_role"
            )
        ]
        verbose_name = _("wire")

    def __str__(self) -> str:
        return f"{self.role} -> {self.provider}/{self.model_id}"
