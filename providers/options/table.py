"""Every option of a provider: what it may be, and how the form asks for it.

In the order of the form. An option is read where requests are translated unless
tests/gateway/translators/test_options_are_read.py names another place.
"""

from typing import Any, NamedTuple

from django.utils.translation import gettext_lazy as _

from providers.options.kinds import (
    Certificates,
    Choice,
    Flag,
    Headers,
    Kind,
    Number,
    ProxyUrl,
    Text,
    Texts,
    Timeouts,
)

# What of a call is waited for; each is a field of its own in the form.
TIMEOUTS: dict[str, Any] = {
    "connect": _("Connect"),
    "first_byte": _("First byte"),
    "first_token": _("First event of a stream"),
    "silence": _("Silence in a stream"),
    "total": _("Whole answer"),
    "patience": _("Waiting while it is busy"),
}

# Of these 0 is an answer, too.
MAY_BE_NONE = frozenset({"patience"})

NETWORK = ("proxy", "proxy_resolves", "ca_certificates", "client_certificate")
"""Options that say how connections are made; a group of their own in the form."""

# Options that hold for every provider, whatever its type.
EVERYWHERE = ("timeouts", "extra_headers", "weight", *NETWORK)

ADMINISTRATORS = frozenset(
    {*NETWORK, "aws_identity", "aws_role_arn", "aws_external_id"}
)
"""Options that decide whom the server trusts, or as whom it acts itself.

Like the settings, which they stand in for, they are for administrators.
"""


class Option(NamedTuple):
    """What one option may be, its name for people and a sentence of help."""

    kind: Kind
    label: Any
    help: Any


OPTIONS: dict[str, Option] = {
    "timeouts": Option(
        Timeouts(frozenset(TIMEOUTS), MAY_BE_NONE),
        _("Timeouts"),
        _("Seconds to wait before a call counts as failed."),
    ),
    "extra_headers": Option(
        Headers(),
        _("Extra headers"),
        _("One `name: value` a line, sent with every request. Not for credentials."),
    ),
    "weight": Option(
        Number(1000),
        _("Weight"),
        _(
            "Its share of the calls among providers of the same priority, each "
            "conversation staying with one. 0 for none; who has no weight counts as 1."
        ),
    ),
    "proxy": Option(
        ProxyUrl(),
        _("Forward proxy"),
        _(
            "Such as `http://proxy.example:3128`; `none` goes without the "
            "installation's."
        ),
    ),
    "proxy_resolves": Option(
        Flag(),
        _("The proxy resolves names"),
        _("On where nobody here knows names of the internet. By default off."),
    ),
    "ca_certificates": Option(
        Certificates(are_authorities=True),
        _("CA certificates"),
        _("In PEM: private CAs that are trusted beside those of the system."),
    ),
    "client_certificate": Option(
        Certificates(are_authorities=False),
        _("Client certificate"),
        _("In PEM, for servers that ask for one; those up to its CA may follow."),
    ),
    "version_path": Option(
        Choice(("v1", "none")),
        _("Version in the path"),
        _(
            "What stands between the endpoint and the path of a request: `/v1`, or "
            "nothing. By default the address tells."
        ),
    ),
    "bedrock_api": Option(
        Choice(("auto", "invoke", "converse")),
        _("Bedrock API"),
        _("Which of Bedrock's two interfaces is used; auto picks by model."),
    ),
    "aws_identity": Option(
        Choice(("web_identity", "container", "instance")),
        _("Identity"),
        _(
            "Instead of stored keys: the pod's web identity (IRSA), the container's "
            "role (ECS, EKS Pod Identity) or the instance profile."
        ),
    ),
    "aws_role_arn": Option(
        Text(),
        _("Role to assume"),
        _("ARN of a role that the identity, or the stored keys, assume."),
    ),
    "aws_external_id": Option(
        Text(),
        _("External id"),
        _("What the trust policy asks for, if any."),
    ),
    "strict_params": Option(
        Flag(),
        _("Strict parameters"),
        _("Refuse parameters that the provider lacks instead of leaving them out."),
    ),
    "include_usage": Option(
        Flag(),
        _("Ask for usage in streams"),
        _("Off for servers that refuse `stream_options`."),
    ),
    "responses_api": Option(
        Choice(("auto", "on", "off")),
        _("Responses API"),
        _(
            "Whether the server gets requests of `/v1/responses` as they are: on, off "
            "(they are translated), or auto, on for OpenAI and Azure."
        ),
    ),
    "max_tokens_field": Option(
        Choice(("max_tokens", "max_completion_tokens")),
        _("Token limit field"),
        _("The name under which the server takes the limit of answer tokens."),
    ),
    "system_role": Option(
        Choice(("system", "developer")),
        _("Role of system messages"),
        _("What the server calls them."),
    ),
    "drop_params": Option(
        Texts(),
        _("Parameters to leave out"),
        _("Names of request parameters that this server refuses."),
    ),
    "drop_betas": Option(
        Texts(),
        _("Betas to leave out"),
        _("Names in `anthropic-beta` that this server refuses."),
    ),
    "forward_workspace": Option(
        Flag(),
        _("Clients' workspaces"),
        _("Pass on the workspace and user profile that a client names."),
    ),
    "bedrock_betas": Option(
        Texts(),
        _("More betas"),
        _("Betas that the models take as well; with a `-` before it, one they do not."),
    ),
    "mid_system": Option(
        Choice(("keep", "user", "hoist")),
        _("Instructions amid a conversation"),
        _(
            "What becomes of the Messages API's: they stay system messages, are said "
            "by the user, or go to the beginning."
        ),
    ),
    "user_field": Option(
        Choice(("safety_identifier", "user", "none")),
        _("Field of the user"),
        _("Where the Messages API's `metadata.user_id` goes, as a digest."),
    ),
    "cache_marks": Option(
        Choice(("cache_control", "prompt_cache_breakpoint")),
        _("Marks for the cache"),
        _("What the server calls the Messages API's `cache_control`, if it reads any."),
    ),
    "organization": Option(
        Text(), _("Organization"), _("Sent as `OpenAI-Organization`.")
    ),
    "project": Option(Text(), _("Project"), _("Sent as `OpenAI-Project`.")),
    "auto_cache": Option(
        Flag(),
        _("Prompt caching"),
        _("Mark long prompts for the provider's cache."),
    ),
    "server_web_search": Option(
        Flag(),
        _("Web search"),
        _("Let `web_search_options` use the provider's own search tool."),
    ),
    "structured_output": Option(
        Flag(),
        _("Native structured output"),
        _("Off to emulate JSON schemas with a tool."),
    ),
    "request_metadata": Option(
        Flag(),
        _("Pass metadata on"),
        _("Send the request's `metadata` to the provider."),
    ),
    "guardrail_id": Option(
        Text(), _("Guardrail"), _("Id or ARN of an Amazon Bedrock guardrail.")
    ),
    "guardrail_version": Option(
        Text(), _("Guardrail version"), _("A number, or DRAFT.")
    ),
    "guardrail_trace": Option(
        Choice(("enabled", "disabled", "enabled_full")),
        _("Guardrail trace"),
        _("How much the guardrail tells."),
    ),
    "fetch_images": Option(
        Flag(),
        _("Fetch images"),
        _("Download image URLs for providers that take image data only."),
    ),
    "vision": Option(Flag(), _("Images"), _("Whether the models read images.")),
    "audio": Option(Flag(), _("Audio"), _("Whether the models take audio.")),
    "stream_tools": Option(
        Flag(),
        _("Streams with tools"),
        _("Off where models with tools answer in one piece only."),
    ),
    "reasoning_alias": Option(
        Flag(),
        _("Reasoning under both names"),
        _("Repeat `reasoning_content` as `reasoning` in answers."),
    ),
    "send_reasoning_content": Option(
        Flag(),
        _("Send reasoning back"),
        _("Keep `reasoning_content` of earlier turns in requests."),
    ),
}
