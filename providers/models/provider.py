"""Model providers and the models they serve."""

import re
import uuid
from collections.abc import Collection
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from providers import (
    endpoints,
    options,
    sealing,
    transport,
    vendors,
)
from providers.models.announced import Announced
from providers.models.kinds import BEHIND, LABELS, kind_of
from providers.models.rename import ProviderRename
from providers.models.rules import NAME_RULE, REGION_RULE
from providers.models.secret import Secret
from providers.network import proxy_address

PLACEHOLDER = re.compile(r"YOUR-[A-Z]+")
"""What stands in a preset's address for the part that is everybody's own."""


class ModelProvider(Announced):
    """A configured upstream: where to call, as whom, and which models it serves."""

    class Auth(models.TextChoices):
        API_KEY = "api_key", _("API Key")
        AWS_SIGV4 = "aws_sigv4", _("AWS Signature")
        OAUTH2 = "oauth2", "OAuth2"
        NONE = "none", _("None")

    class Status(models.TextChoices):
        PENDING = "pending", _("Pending")
        AVAILABLE = "available", _("Available")
        UNAVAILABLE = "unavailable", _("Unavailable")
        FAILED = "failed", _("Failed")

    class ClientAuth(models.TextChoices):
        HEADER = "client_secret_basic", _("In the Authorization header")
        BODY = "client_secret_post", _("In the request body")

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(
        _("name"),
        max_length=63,
        unique=True,
        validators=[NAME_RULE],
        error_messages={"unique": _("A model provider with this name exists.")},
    )
    provider_type = models.CharField(
        _("provider type"),
        max_length=16,
        choices=vendors.choices,
        default=vendors.USUAL,
    )
    endpoint = models.CharField(_("endpoint"), max_length=2048)
    private_network = models.BooleanField(_("private network"), default=False)
    enabled = models.BooleanField(_("enabled"), default=True)
    priority = models.PositiveIntegerField(_("priority"), default=100)

    auth_type = models.CharField(
        _("authentication"), max_length=16, choices=Auth.choices, default=Auth.API_KEY
    )
    secret = models.ForeignKey(
        Secret, models.PROTECT, null=True, blank=True, related_name="providers"
    )
    # The proxy's user, the client certificate's key: see providers/forms/network.py.
    network_secret = models.ForeignKey(
        Secret, models.PROTECT, null=True, blank=True, related_name="networks"
    )
    header_name = models.CharField(_("header name"), max_length=128, blank=True)
    value_prefix = models.CharField(_("value prefix"), max_length=128, blank=True)
    region = models.CharField(
        _("region"), max_length=32, blank=True, validators=[REGION_RULE]
    )
    authorization_url = models.CharField(
        _("authorization URL"), max_length=2048, blank=True
    )
    token_url = models.CharField(_("token URL"), max_length=2048, blank=True)
    scopes = models.CharField(_("scopes"), max_length=2048, blank=True)
    client_auth = models.CharField(
        _("client authentication"),
        max_length=24,
        choices=ClientAuth.choices,
        default=ClientAuth.HEADER,
    )
    # Further parameters of the token request, such as `audience`.
    token_params = models.JSONField(_("token parameters"), default=dict, blank=True)

    requests_per_minute = models.PositiveIntegerField(
        _("requests per minute"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(1_000_000)],
    )
    options = models.JSONField(_("options"), default=dict, blank=True)

    status = models.CharField(
        _("status"),
        max_length=16,
        choices=Status.choices,
        default=Status.PENDING,
        editable=False,
    )
    status_message = models.CharField(max_length=1000, blank=True, editable=False)
    status_checked_at = models.DateTimeField(null=True, editable=False)
    # Counts edits, so that two people editing at once do not overwrite each other.
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]
        verbose_name = _("model provider")

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save the row; a name given up is noted, so that what holds it follows."""
        with transaction.atomic(savepoint=False):
            self._note_rename(kwargs.get("update_fields"))
            super().save(*args, **kwargs)

    def _note_rename(self, columns: Collection[str] | None) -> None:
        if self.pk is None or (columns is not None and "name" not in columns):
            return
        rows = type(self).objects.filter(pk=self.pk).exclude(name=self.name)
        for old in rows.values_list("name", flat=True):
            ProviderRename.note(self, old)

    def get_absolute_url(self) -> str:
        """Return the provider's page in the console."""
        return reverse("provider-detail", args=[self.name])

    def clean(self) -> None:
        """Check what the fields mean together; each error names its field."""
        errors: dict[str, Any] = {}
        for field in ("endpoint", "authorization_url", "token_url"):
            self._clean_address(field, errors)
        self.region = self.region or self.vendor.region_of(self.endpoint)
        self._clean_auth(errors)
        try:
            self.options = options.clean(self.options)
        except ValidationError as error:
            errors["options"] = error
        else:
            self._clean_headers(errors)
        if errors:
            raise ValidationError(errors)

    def _clean_address(self, field: str, errors: dict[str, Any]) -> None:
        value = getattr(self, field)
        if not value:
            return
        if left := PLACEHOLDER.search(value):
            errors[field] = ValidationError(
                _("Put your own in the place of %s.") % left[0]
            )
            return
        try:
            setattr(
                self, field, endpoints.normalize(value, strip_tail=field == "endpoint")
            )
        except endpoints.EndpointError as error:
            errors[field] = ValidationError(str(error), code="invalid")
            return
        value = getattr(self, field)
        try:
            transport.address(value)
        except transport.Unusable:
            errors[field] = ValidationError(
                _("The address names a host that cannot be called.")
            )
            return
        if value.startswith("http://") and not endpoints.is_private(value):
            errors[field] = ValidationError(
                _("Use https: over http, keys would cross the internet in clear.")
            )

    def _clean_headers(self, errors: dict[str, Any]) -> None:
        try:
            transport.header_lines(self.option_headers())
        except transport.Unusable as error:
            errors["options"] = ValidationError(str(error))

    def _clean_auth(self, errors: dict[str, Any]) -> None:
        match self.auth_type:
            case self.Auth.API_KEY:
                try:
                    options.check_header(self.header_name, self.value_prefix)
                except options.HeaderError as error:
                    errors[error.field] = ValidationError(str(error))
            case self.Auth.AWS_SIGV4 if not self.region:
                errors["region"] = ValidationError(_("Enter the AWS region."))
            case self.Auth.OAUTH2 if not self.token_url:
                errors["token_url"] = ValidationError(_("Enter the token URL."))

    @property
    def vendor(self) -> vendors.Vendor:
        """What is known about providers of this type."""
        return vendors.of(self.provider_type)

    @property
    def needs_secret(self) -> bool:
        """Whether this provider is called with stored credentials."""
        return self.auth_type != self.Auth.NONE and not self.is_lent

    @property
    def is_lent(self) -> bool:
        """Whether it is called as whoever this machine is, without stored credentials.

        Only where the options say so.
        """
        return self.auth_type == self.Auth.AWS_SIGV4 and bool(
            self.options.get("aws_identity")
        )

    @property
    def chat_url(self) -> str:
        """The URL that chat requests go to, for display."""
        return endpoints.chat_url(
            self.provider_type, self.endpoint, self.region, self.version_path
        )

    @property
    def version_path(self) -> str:
        """What stands before the API's paths: `v1`, `none`, or as the address says."""
        return str(self.options.get("version_path", ""))

    def option_headers(self) -> dict[str, str]:
        """Return the headers that the options add to every request."""
        own = {
            header: str(self.options[option])
            for option, header in self.vendor.option_headers.items()
            if self.options.get(option)
        }
        return {**own, **self.options.get("extra_headers", {})}

    def required_origins(self) -> list[str]:
        """Return the origins that the secret must be allowed for.

        Besides the endpoint's own origin these are the token URL for OAuth2 (the access
        token goes to the one, the client secret to the other) and the region for AWS.
        """
        required = [endpoints.origin(self.endpoint)]
        if self.auth_type == self.Auth.OAUTH2:
            required.append(self.token_url)
        if self.auth_type == self.Auth.AWS_SIGV4:
            required.append(f"region:{self.region}")
        return required

    def credentials(self) -> dict[str, str]:
        """Return the secret's values in clear.

        Raises SecretNotAllowed or sealing.UnreadableSecret, also when there is none.
        """
        if self.secret is None:
            raise sealing.UnreadableSecret("No secret is stored. Enter one.")
        return self.secret.reveal(self.required_origins())

    def network_origins(self, keys: Collection[str]) -> list[str]:
        """Return where the values of these `keys` of the network's secret go.

        The proxy's user goes to the proxy, what the key signs to the endpoint.
        """
        origins = []
        if "client_key" in keys:
            origins.append(endpoints.origin(self.endpoint))
        if {"proxy_user", "proxy_password"} & set(keys):
            proxy = self.options.get("proxy", "")
            is_one = proxy not in ("", proxy_address.NONE)
            origins.append(endpoints.origin(proxy) if is_one else "no proxy")
        return origins

    def network_values(self) -> dict[str, str]:
        """Return the values of the network's secret in clear, none without one.

        Raises SecretNotAllowed or sealing.UnreadableSecret.
        """
        secret = self.network_secret
        if secret is None:
            return {}
        return secret.reveal(self.network_origins(secret.keys))

    def set_enabled(self, enabled: bool) -> bool:
        """Enable or disable it, which counts as an edit; tell whether it changed."""
        if self.enabled == enabled:
            return False
        self.enabled = enabled
        self.version += 1
        self.save(update_fields=["enabled", "version", "updated_at"])
        return True

    @transaction.atomic
    def serve(self, model_id: str) -> "ProviderModel":
        """Serve a further model, last of all, which counts as an edit.

        One that is served already stays as it is. Raises ValidationError for an id
        that is none.
        """
        row = self.provider_models.filter(model_id=model_id).first()
        if row is not None:
            return row
        last = self.provider_models.aggregate(last=models.Max("position"))["last"]
        row = ProviderModel(provider=self, model_id=model_id)
        row.position = 0 if last is None else last + 1
        row.full_clean()
        row.save()
        type(self).objects.filter(pk=self.pk).update(version=models.F("version") + 1)
        return row

    def set_status(self, status: str, message: str = "") -> None:
        """Store the outcome of a check, without counting as an edit."""
        self.status = status
        self.status_message = message[:1000]
        self.status_checked_at = timezone.now()
        type(self).objects.filter(pk=self.pk).update(
            status=self.status,
            status_message=self.status_message,
            status_checked_at=self.status_checked_at,
        )


class ProviderModel(Announced):
    """A model that a provider serves: the id agents use, and what is special about it.

    Prices are US dollars per million tokens; empty means the list price, if known.
    """

    provider = models.ForeignKey(
        ModelProvider, models.CASCADE, related_name="provider_models"
    )
    model_id = models.CharField(_("model id"), max_length=512)
    upstream_id = models.CharField(_("upstream id"), max_length=2048, blank=True)
    base_model = models.CharField(_("base model"), max_length=512, blank=True)
    position = models.PositiveIntegerField(default=0)
    input_price = models.DecimalField(
        max_digits=12, decimal_places=6, null=True, blank=True
    )
    output_price = models.DecimalField(
        max_digits=12, decimal_places=6, null=True, blank=True
    )
    cached_input_price = models.DecimalField(
        max_digits=12, decimal_places=6, null=True, blank=True
    )
    capabilities = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "model_id"], name="one_row_per_provider_and_model"
            )
        ]
        indexes = [models.Index(fields=["model_id"])]
        verbose_name = _("model")

    def __str__(self) -> str:
        return self.model_id

    @property
    def kind(self) -> str:
        """What the model is for: conversations, or vectors."""
        return kind_of(self.model_id, *(getattr(self, name) for name in BEHIND))

    @property
    def kind_label(self) -> str:
        """What the model is for, as people call it."""
        return str(LABELS[self.kind])
