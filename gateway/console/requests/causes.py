"""What an error of the ledger means and what to do about it, for people."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from gateway.models import UsageRecord

Outcome = UsageRecord.Outcome

# By the code that the client got (gateway/errors.py and the translators).
CAUSES: dict[str, Any] = {
    "upstream_auth_error": _(
        "The provider refused its credentials. Replace the secret on the provider's "
        "page; agents' own keys have nothing to do with it."
    ),
    "upstream_unreachable": _(
        "No connection to the provider came about: the address is wrong, nothing "
        "listens there, or a firewall stands between; or TLS was not agreed on, where "
        "the message speaks of a certificate. Test the provider on its page."
    ),
    "upstream_proxy_failed": _(
        "The forward proxy did not connect to the provider; the message says why. Its "
        "address and user stand among the provider's advanced settings, or in "
        "UPSTREAM_PROXY. Test the provider on its page."
    ),
    "upstream_timeout": _(
        "The provider took longer than the timeouts allow. It may have done the work "
        "all the same, so it was not asked again. Longer timeouts are among the "
        "provider's advanced settings."
    ),
    "upstream_stream_truncated": _(
        "The provider broke the connection off before its answer was complete."
    ),
    "upstream_invalid_response": _(
        "What came back is not what the provider's API answers. Check the endpoint "
        "and the provider type."
    ),
    "destination_blocked": _(
        "The provider's address leads to a network that is not allowed for it. Mark "
        "the provider as on a private network if that is meant."
    ),
    "provider_unavailable": _(
        "The provider's credentials cannot be read, or it is overloaded. Its page says "
        "which."
    ),
    "rate_limit_exceeded": _(
        "More requests than allowed: by the provider's own limit, or by the limit of "
        "requests per minute set here. The message says whose it was."
    ),
    "overloaded": _("The provider has too much to do at the moment."),
    "model_not_ready": _("The provider is still loading the model."),
    "context_length_exceeded": _(
        "The conversation is longer than the model takes. Shorten it or wire another "
        "model."
    ),
    "insufficient_quota": _(
        "The account at the provider has no budget left. Its billing page says more."
    ),
    "content_filter": _("The provider's content filter stopped the request."),
    "unsupported_parameter": _(
        "The request holds something that this provider cannot express. The message "
        "names the field."
    ),
    "shutting_down": _("The server was stopped while the call went on."),
    "invalid_api_key": _(
        "The call came without a key, or with one that is unknown here, was revoked or "
        "has expired. The client sends a key of this console, not one of the provider."
    ),
    "ambiguous_credentials": _(
        "Two headers of the request hold different keys. Set one of them."
    ),
    "model_not_found": _(
        "No provider here serves a model of this name. Register it with a provider, or "
        "ask for one that stands on the Models page."
    ),
    "model_not_allowed": _(
        "The model exists, and this key may not use it. Wire the agent to it, or widen "
        "the key."
    ),
    "unknown_url": _(
        "The client's base URL leads past the gateway's paths. For most clients it "
        "ends in /v1; the Models page shows it."
    ),
    "method_not_allowed": _("The client asks for this path in another way."),
    "invalid_json": _("What the client sent cannot be read as JSON."),
    "unsupported_media_type": _("The client did not say that its request is JSON."),
    "request_too_large": _(
        "The request is larger than REQUEST_BODY_LIMIT allows. Images are best sent by "
        "address."
    ),
    "request_timeout": _("The client sent its request too slowly."),
    "loop_detected": _(
        "The call came here from this gateway itself: a provider's endpoint leads back."
    ),
    "store_unavailable": _("The database could not be read just then."),
}
# Where a door's clients go wrong in a way of their own: by door and code.
CAUSES_AT: dict[tuple[str, str], Any] = {
    ("messages", "unknown_url"): _(
        "The client's base URL leads past the gateway's paths. Clients of the Messages "
        "API add /v1/messages themselves: it is the gateway's address alone."
    ),
    ("messages", "invalid_api_key"): _(
        "The call came without a key of this console. A login or a key of the vendor "
        "that the client remembers goes before it: sign out there, and set one key."
    ),
    ("messages", "model_not_found"): _(
        "No provider here serves a model of this name. Coding agents ask for models of "
        "their own for small tasks: tell them another, or register that name."
    ),
    ("embeddings", "model_not_found"): _(
        "No provider here serves a model of this name. Register the embedding model "
        "with a provider: vectors of different models cannot stand in one index."
    ),
}
OUTCOMES: dict[str, Any] = {
    Outcome.CLIENT_CLOSED: _(
        "The client ended the connection before the answer was complete. The provider "
        "was told to stop; what it had sent until then is counted."
    ),
    Outcome.CLIENT_STALLED: _(
        "The client stopped reading the answer, so the call was ended."
    ),
    Outcome.INTERRUPTED: _(
        "The server process ended without being able to finish the call. Its tokens "
        "and its end are unknown."
    ),
    Outcome.SHUTDOWN: _("The server was stopped while the call went on."),
    Outcome.REFUSED: _("The gateway refused the call before any provider was asked."),
}


def explain(record: UsageRecord) -> Any:
    """Return the cause of a call's failure in words, or an empty text."""
    at_door = CAUSES_AT.get((record.door, record.error_code))
    cause = at_door or CAUSES.get(record.error_code)
    return cause or OUTCOMES.get(record.outcome, "")
