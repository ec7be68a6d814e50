"""The usage ledger: a row per call, be it answered or refused."""

from django.db import models
from django.utils.translation import gettext_lazy as _

USUAL_DOOR = "chat"
"""The door by which most calls come in."""


class CallerKind(models.TextChoices):
    """Who calls: an agent, a workspace key, the console, a program on this machine."""

    AGENT = "agent", _("Agent")
    WORKSPACE = "workspace", _("Workspace key")
    CONSOLE = "console", _("Console")
    LOCAL = "local", _("This machine")


class UsageRecord(models.Model):
    """What one call did: who asked whom for what, how it ended, what it used.

    Durations are milliseconds; `cost` is US dollars, null where the price is unknown.
    `call_id` is ours and unique; `request_id` is what the client sees and may choose.
    A call refused here names what was known by then: maybe no caller, provider or
    model. `calls` is set where one row stands for several (ledger/refusals.py).
    `door` is the format the client speaks (gateway/doors); `client` its program,
    `session_id`, `agent_id` and `request_class` what it tells of its conversation, of
    the agent within it and of the purpose of the call. `details` is what only some
    doors have to tell, by its name: how many inputs were embedded, which way a response
    went.
    """

    class Outcome(models.TextChoices):
        OK = "ok", _("OK")
        UPSTREAM_ERROR = "upstream_error", _("Upstream error")
        CLIENT_CLOSED = "client_closed", _("Client closed")
        CLIENT_STALLED = "client_stalled", _("Client stalled")
        INTERRUPTED = "interrupted", _("Interrupted")
        SHUTDOWN = "shutdown", _("Shutdown")
        REFUSED = "refused", _("Refused here")

    call_id = models.CharField(max_length=32, unique=True)
    request_id = models.CharField(max_length=64, db_index=True)
    started_at = models.DateTimeField()
    caller = models.CharField(_("agent or key"), max_length=80)
    caller_kind = models.CharField(max_length=16, choices=CallerKind.choices)
    key_hint = models.CharField(max_length=24, blank=True)
    end_user_id = models.CharField(max_length=128, blank=True)
    run_id = models.CharField(max_length=128, blank=True)
    door = models.CharField(_("door"), max_length=16, default=USUAL_DOOR)
    client = models.CharField(max_length=64, blank=True)
    session_id = models.CharField(max_length=128, blank=True)
    agent_id = models.CharField(max_length=128, blank=True)
    request_class = models.CharField(max_length=64, blank=True)
    provider = models.CharField(_("provider"), max_length=63)
    model = models.CharField(_("model"), max_length=512)
    upstream_model = models.CharField(max_length=2048)
    stream = models.BooleanField(default=False)
    outcome = models.CharField(
        _("outcome"), max_length=16, choices=Outcome.choices, default=Outcome.OK
    )
    # Not a success and not the client's own leaving; kept so that the few failures
    # among very many calls are found by an index.
    failed = models.BooleanField(_("failed"), default=False)
    status = models.PositiveSmallIntegerField(_("status"), null=True)
    upstream_status = models.PositiveSmallIntegerField(null=True)
    # The connection had been closed as idle while the request was under way.
    sent_again = models.BooleanField(default=False)
    error_code = models.CharField(max_length=64, blank=True)
    error_message = models.CharField(max_length=2000, blank=True)
    finish_reason = models.CharField(max_length=64, blank=True)
    input_tokens = models.PositiveIntegerField(null=True)
    output_tokens = models.PositiveIntegerField(null=True)
    cached_tokens = models.PositiveIntegerField(null=True)
    cache_write_tokens = models.PositiveIntegerField(null=True)
    reasoning_tokens = models.PositiveIntegerField(null=True)
    estimated = models.BooleanField(default=False)
    # The call's stages, counted from its receipt; null where it did not get so far, and
    # the first two in rows older than these columns.
    routed_ms = models.PositiveIntegerField(null=True)
    upstream_ms = models.PositiveIntegerField(null=True)
    first_byte_ms = models.PositiveIntegerField(null=True)
    duration_ms = models.PositiveIntegerField(null=True)
    cost = models.DecimalField(max_digits=14, decimal_places=8, null=True)
    dropped = models.JSONField(default=list)
    downgraded = models.JSONField(default=list)
    details = models.JSONField(default=dict)
    upstream_request_id = models.CharField(max_length=128, blank=True)
    calls = models.PositiveIntegerField(null=True)

    class Meta:
        ordering = ["-started_at", "-pk"]
        # In the order in which rows come: each goes behind the last one, where newest
        # first would have SQLite take full pages apart. Backwards they read as well.
        indexes = [
            models.Index(fields=["started_at", "id"], name="usage_newest"),
            models.Index(fields=["provider", "started_at"], name="usage_provider"),
            models.Index(fields=["model", "started_at"], name="usage_model"),
            models.Index(fields=["caller", "started_at"], name="usage_caller"),
            # Nearly all calls end well: only the others need an index.
            models.Index(
                fields=["outcome", "started_at", "id"],
                name="usage_ended",
                condition=~models.Q(outcome="ok"),
            ),
            models.Index(
                fields=["end_user_id", "started_at", "id"],
                name="usage_user",
                condition=~models.Q(end_user_id=""),
            ),
            models.Index(
                fields=["run_id", "started_at", "id"],
                name="usage_run",
                condition=~models.Q(run_id=""),
            ),
            models.Index(
                fields=["session_id", "started_at", "id"],
                name="usage_session",
                condition=~models.Q(session_id=""),
            ),
            models.Index(
                fields=["agent_id", "started_at", "id"],
                name="usage_agent",
                condition=~models.Q(agent_id=""),
            ),
            models.Index(
                fields=["request_class", "started_at", "id"],
                name="usage_purpose",
                condition=~models.Q(request_class=""),
            ),
            # Nearly all calls come by one door: only the others need an index.
            models.Index(
                fields=["door", "started_at", "id"],
                name="usage_door",
                condition=~models.Q(door=USUAL_DOOR),
            ),
            models.Index(
                fields=["started_at", "id"],
                name="usage_failed",
                condition=models.Q(failed=True),
            ),
        ]
        verbose_name = _("request")

    def __str__(self) -> str:
        return self.request_id


class UsageSummary(models.Model):
    """What the calls of an hour, six or a day came to, by their names.

    Derived from UsageRecord by ledger/summaries.py and never the other way round.
    `durations` and `first_bytes` count calls by bucket (sums.BOUNDS), as JSON;
    `priced` are the requests whose cost is known. The same calls are summed up once
    for each level, for pages that need no more than that; names which a level does not
    tell apart are empty.
    """

    class Level(models.TextChoices):
        ALL = "all", _("All together")
        DOORS = "doors", _("By door")
        MODELS = "models", _("By provider and model")
        CALLERS = "callers", _("By caller and key")
        EACH = "each", _("By all names")

    class Span(models.TextChoices):
        HOUR = "hour", _("Hour")
        QUARTER = "6h", _("Six hours")
        DAY = "day", _("Day")

    span = models.CharField(max_length=4, choices=Span.choices)
    level = models.CharField(max_length=8, choices=Level.choices)
    starts_at = models.DateTimeField()
    provider = models.CharField(max_length=63)
    model = models.CharField(max_length=512)
    caller_kind = models.CharField(max_length=16)
    caller = models.CharField(max_length=80)
    key_hint = models.CharField(max_length=24)
    door = models.CharField(max_length=16)
    requests = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    input_tokens = models.PositiveBigIntegerField(default=0)
    output_tokens = models.PositiveBigIntegerField(default=0)
    cost = models.DecimalField(max_digits=20, decimal_places=8, null=True)
    priced = models.PositiveIntegerField(default=0)
    durations = models.TextField(default="{}")
    first_bytes = models.TextField(default="{}")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "span",
                    "level",
                    "starts_at",
                    "provider",
                    "model",
                    "caller_kind",
                    "caller",
                    "key_hint",
                    "door",
                ],
                name="one_summary_of_level_and_names",
            )
        ]
        indexes = [
            # Holds all that ranking the models of a month asks for.
            models.Index(
                fields=[
                    "span",
                    "level",
                    "starts_at",
                    "provider",
                    "model",
                    "requests",
                ],
                name="summary_ranking",
            )
        ]
        verbose_name = _("usage summary")
        verbose_name_plural = _("usage summaries")

    def __str__(self) -> str:
        return f"{self.span} {self.starts_at:%Y-%m-%d %H:%M} {self.model}"


class CallBody(models.Model):
    """What a call asked, what was sent for it and what came back, where that is kept.

    Only with LOG_BODIES=1 or for a time (providers' BodyWindow); redacted, cut, and
    deleted after BODY_RETENTION_DAYS. `received` is what the provider said when it
    refused, `answered` what the client got.
    """

    call_id = models.CharField(max_length=32, unique=True)
    stored_at = models.DateTimeField(db_index=True)
    asked = models.TextField()
    sent = models.TextField()
    sent_path = models.CharField(max_length=2048, blank=True)
    received = models.TextField(blank=True)
    answered = models.TextField(blank=True)

    class Meta:
        verbose_name = _("request body")
        verbose_name_plural = _("request bodies")

    def __str__(self) -> str:
        return self.call_id


class KeptItems(models.Model):
    """The items of one response, for a client that will only name them.

    `name` is a digest of the token in their ids, `sealed` opens by that token alone
    (gateway/memory), and only `owner` finds it. Deleted after RESPONSES_MEMORY_DAYS,
    the oldest before that where all together exceed RESPONSES_MEMORY_MB.
    """

    name = models.CharField(max_length=64, primary_key=True)
    owner = models.CharField(max_length=255)
    stored_at = models.DateTimeField(db_index=True)
    size = models.PositiveIntegerField()
    sealed = models.BinaryField()

    class Meta:
        verbose_name = _("kept response")
        verbose_name_plural = _("kept responses")

    def __str__(self) -> str:
        return self.name
