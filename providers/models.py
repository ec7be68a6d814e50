"""The registry: model providers, their models, the secrets they use, workspace keys."""

import json
import uuid
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models, transaction
from django.db.models import F
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from providers import endpoints, keys, options, sealing
from providers.fields import SealedField

NAME_RULE = RegexValidator(
    r"^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?\Z",
    _("Use lower-case letters, digits, dots, hyphens and underscores, 63 at most."),
)
REGION_RULE = RegexValidator(
    r"^[a-z]{2,4}(-[a-z]+)+-\d\Z", _("An AWS region looks like us-east-1.")
)


class Announced(models.Model):
    """A row that is stored together with whatever listens to its being stored.

    The registry's version moves and the audit log grows in the same transaction.
    """

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save the row and tell the listeners, or do neither."""
        with transaction.atomic(savepoint=False):
            super().save(*args, **kwargs)


class RegistryVersion(models.Model):
    """One row that counts changes; every worker polls it and reloads when it moved."""

    number = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.number)

    @classmethod
    def bump(cls) -> None:
        """Announce a change of the registry, the keys or the wires."""
        if not cls.objects.filter(pk=1).update(number=F("number") + 1):
            cls.objects.get_or_create(pk=1, defaults={"number": 1})

    @classmethod
    def current(cls) -> int:
        """Return the number now, 0 before the first change."""
        return cls.objects.filter(pk=1).values_list("number", flat=True).first() or 0


class SecretNotAllowed(Exception):
    """A secret asked for by a destination that nobody entered it for."""


class Secret(Announced):
    """Named credentials, encrypted, and the origins they may be sent to.

    `keys` says what is inside without its values: ``api_key`` for an API key;
    ``aws_access_key_id``, ``aws_secret_access_key`` and perhaps ``aws_session_token``,
    or ``bedrock_api_key``, for AWS; ``client_id`` and ``client_secret`` for OAuth2.
    """

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(
        _("name"), max_length=63, unique=True, validators=[NAME_RULE]
    )
    sealed = SealedField()
    keys = models.JSONField(default=list, editable=False)
    hints = models.JSONField(default=dict, editable=False)
    origins = models.JSONField(default=list, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    entered_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["name"]
        verbose_name = _("secret")

    def __str__(self) -> str:
        return self.name

    def binding(self) -> str:
        """Return what the ciphertext is bound to: this row and its origins."""
        return json.dumps(["secret", str(self.uid), sorted(self.origins)])

    def store(self, values: dict[str, str], origins: Iterable[str]) -> None:
        """Take newly entered `values`, allowed for `origins` only (not saved)."""
        self.origins = sorted(set(origins))
        self.keys = sorted(values)
        self.hints = {k: v[-4:] for k, v in values.items() if len(v) >= 16}
        self.entered_at = timezone.now()
        SealedField.of(self, "sealed").seal(self, json.dumps(values).encode())

    def adopt(self, origins: Iterable[str]) -> None:
        """Bind a secret that has no origins yet to those of its first provider."""
        values = self._open()
        entered_at = self.entered_at
        self.store(values, origins)
        self.entered_at = entered_at

    def allows(self, origins: Iterable[str]) -> bool:
        """Tell whether the values may be sent to all of `origins`."""
        return set(origins) <= set(self.origins)

    def reveal(self, origins: Iterable[str]) -> dict[str, str]:
        """Return the values in clear, for sending to `origins`.

        Raises SecretNotAllowed for an origin it was not entered for and
        sealing.UnreadableSecret when it cannot be decrypted.
        """
        if not self.allows(origins):
            raise SecretNotAllowed(
                f"The secret {self.name} was entered for another address. "
                "Enter it again for this one."
            )
        return self._open()

    def _open(self) -> dict[str, str]:
        values: dict[str, str] = json.loads(SealedField.of(self, "sealed").unseal(self))
        return values


class ModelProvider(Announced):
    """A configured upstream: where to call, as whom, and which models it serves."""

    class Type(models.TextChoices):
        OPENAI = "openai", "OpenAI"
        ANTHROPIC = "anthropic", "Anthropic"
        BEDROCK = "bedrock", "AWS Bedrock"
        OLLAMA = "ollama", "Ollama"

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
        _("provider type"), max_length=16, choices=Type.choices, default=Type.OPENAI
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

    def get_absolute_url(self) -> str:
        """Return the provider's page in the console."""
        return reverse("provider-detail", args=[self.name])

    def clean(self) -> None:
        """Check what the fields mean together; each error names its field."""
        errors: dict[str, Any] = {}
        for field in ("endpoint", "authorization_url", "token_url"):
            self._clean_address(field, errors)
        if self.provider_type == self.Type.BEDROCK and not self.region:
            self.region = endpoints.aws_region(self.endpoint)
        self._clean_auth(errors)
        try:
            self.options = options.clean(self.options)
        except ValidationError as error:
            errors["options"] = error
        if errors:
            raise ValidationError(errors)

    def _clean_address(self, field: str, errors: dict[str, Any]) -> None:
        value = getattr(self, field)
        if not value:
            return
        try:
            setattr(
                self, field, endpoints.normalize(value, strip_tail=field == "endpoint")
            )
        except endpoints.EndpointError as error:
            errors[field] = ValidationError(str(error), code="invalid")
            return
        value = getattr(self, field)
        if value.startswith("http://") and not endpoints.is_private(value):
            errors[field] = ValidationError(
                _("Use https: over http, keys would cross the internet in clear.")
            )

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
    def needs_secret(self) -> bool:
        """Whether this provider is called with stored credentials."""
        return self.auth_type != self.Auth.NONE

    @property
    def chat_url(self) -> str:
        """The URL that chat requests go to, for display."""
        return endpoints.chat_url(self.provider_type, self.endpoint, self.region)

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


class OAuthToken(Announced):
    """The token an administrator obtained with *Connect*, encrypted.

    `refresh_lease` lets one process at a time use a refresh token, which many servers
    accept only once.
    """

    provider = models.OneToOneField(
        ModelProvider, models.CASCADE, related_name="oauth_token"
    )
    sealed = SealedField()
    # When an administrator connected last; a refresh leaves it as it is.
    connected_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(null=True)
    refresh_lease = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"OAuth token of {self.provider}"

    def binding(self) -> str:
        """Return what the ciphertext is bound to: provider and destinations."""
        provider = self.provider
        return json.dumps(["oauth", str(provider.uid), *provider.required_origins()])

    def store(self, token: dict[str, Any]) -> None:
        """Take a token response (not saved)."""
        SealedField.of(self, "sealed").seal(self, json.dumps(token).encode())

    def reveal(self) -> dict[str, Any]:
        """Return the token response; raises sealing.UnreadableSecret."""
        token: dict[str, Any] = json.loads(SealedField.of(self, "sealed").unseal(self))
        return token


class IssuedKey(Announced):
    """A key that we issue: recognised by its digest, shown once."""

    prefix = models.CharField(max_length=16, editable=False)
    last4 = models.CharField(max_length=4, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        abstract = True

    def take(self, key: keys.NewKey) -> None:
        """Make this the row of `key` (not saved)."""
        self.prefix, self.last4, self.digest = key.prefix, key.last4, key.digest

    def is_live(self) -> bool:
        """Tell whether the key is neither revoked nor expired."""
        expired = self.expires_at is not None and self.expires_at <= timezone.now()
        return self.revoked_at is None and not expired

    def revoke(self) -> None:
        """Refuse the key from now on, on every worker within two seconds."""
        self.revoked_at = timezone.now()
        self.save(update_fields=["revoked_at"])

    def retire(self, grace: timedelta) -> None:
        """Refuse the key once `grace` is over, at once if there is none."""
        if not grace:
            self.revoke()
            return
        until = timezone.now() + grace
        self.expires_at = min(self.expires_at or until, until)
        self.save(update_fields=["expires_at"])


class WorkspaceKey(IssuedKey):
    """A key for `/api/v1`, which also reaches every model."""

    name = models.CharField(_("name"), max_length=63, validators=[NAME_RULE])

    class Meta:
        ordering = ["name", "-created_at"]
        verbose_name = _("API key")

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}_…{self.last4})"

    @classmethod
    def issue(cls, name: str) -> keys.NewKey:
        """Create a key named `name`; the answer holds the only copy of it."""
        key = keys.generate(keys.WORKSPACE_PREFIX)
        row = cls(name=name)
        row.take(key)
        row.save()
        return key
