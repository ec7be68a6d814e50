"""What a Bedrock model id says, and the path it is called under.

Ids are plain (``anthropic.claude-…``), carry a geographic prefix (``eu.…``) or are
ARNs. They decide which format a model speaks; on the wire they are never altered.
https://docs.aws.amazon.com/bedrock/latest/userguide/models-supported.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonbedrock.html
"""

import re
from dataclasses import dataclass
from urllib.parse import quote

from gateway.errors import GatewayError, invalid_request

VENDORS = frozenset(
    {
        "ai21",
        "amazon",
        "anthropic",
        "cohere",
        "deepseek",
        "google",
        "luma",
        "meta",
        "minimax",
        "mistral",
        "moonshot",
        "moonshotai",
        "nvidia",
        "openai",
        "qwen",
        "stability",
        "twelvelabs",
        "writer",
        "xai",
        "zai",
    }
)

NATIVE_PATH = "/openai/v1/chat/completions"
"""Where models are served that InvokeModel does not know, in OpenAI's own format."""

UNKNOWN = "unknown"

# The longest matching prefix wins; ids are compared without prefix and version.
_FAMILIES = {
    "anthropic.claude-": "claude",
    "anthropic.claude-instant": "claude-legacy",
    "anthropic.claude-v": "claude-legacy",
    "amazon.nova-micro": "nova",
    "amazon.nova-lite": "nova",
    "amazon.nova-pro": "nova",
    "amazon.nova-premier": "nova",
    "amazon.nova-2-": "nova",
    "openai.gpt-oss": "oai",
    "qwen.": "oai",
    "deepseek.v3": "oai",
    "moonshot.": "oai",
    "moonshotai.": "oai",
    "minimax.": "oai",
    "zai.": "oai",
    "nvidia.": "oai",
    "google.gemma-": "oai",
    "mistral.ministral": "oai",
    "mistral.magistral": "oai",
    "mistral.devstral": "oai",
    "mistral.voxtral": "oai",
    "mistral.mistral-large-3": "oai",
    "ai21.jamba-1-5": "oai",
    "writer.palmyra-": "writer",
    "mistral.mistral-large-2402": "mistral-chat",
    "mistral.mistral-large-2407": "mistral-chat",
    "mistral.pixtral-": "mistral-chat",
    "mistral.mistral-7b": "mistral-text",
    "mistral.mixtral": "mistral-text",
    "mistral.mistral-small-2402": "mistral-text",
    "meta.llama2": "llama",
    "meta.llama3": "llama",
    "meta.llama4": "llama",
    "deepseek.r1": "r1",
    "cohere.command-r": "cohere",
    "amazon.titan-text-": "titan",
    "amazon.titan-tg1": "titan",
    "openai.gpt-": "openai-native",
    "xai.": "openai-native",
}

# How an administrator may name a base model without its vendor.
_VENDOR_OF = {"claude-": "anthropic", "nova-": "amazon", "gpt-oss": "openai"}

_VERSION = re.compile(r"-v\d+(:\d+)?(:\d+k)?$")
_OPENAI_VERSION = re.compile(r"-\d+:\d+$")

_NAMED_RESOURCES = ("foundation-model", "inference-profile", "custom-model")
_CONVERSE_ONLY = ("prompt-router", "default-prompt-router", "prompt")


@dataclass(frozen=True)
class ModelId:
    """A classified model id.

    `base` is vendor and model without geography and version (empty when the id hides
    it), `family` the name of the body that the model takes. `converse_only` marks
    resources that InvokeModel does not serve.
    """

    wire: str
    base: str = ""
    family: str = UNKNOWN
    converse_only: bool = False


def classify(id: str, base_model: str = "", region: str = "") -> ModelId:
    """Return what `id` means; `base_model` says what an opaque id really is.

    Raises `GatewayError` (400) for an ARN that is malformed or of another region than
    the endpoint's: its calls could only fail.
    """
    resource, named = id, id
    if id.startswith("arn:"):
        resource, named = _resource(id, region)
    if base_model.startswith("arn:"):
        _, base_model = _resource(base_model, "")
    base = _base(base_model or named)
    return ModelId(
        wire=id,
        base=base,
        family=_family(base),
        converse_only=id.startswith("arn:")
        and resource.partition("/")[0] in _CONVERSE_ONLY,
    )


def path(id: str, operation: str) -> str:
    """Return the path of `operation` on a model, percent-encoded as it must be sent.

    >>> path("amazon.nova-pro-v1:0", "converse")
    '/model/amazon.nova-pro-v1%3A0/converse'
    """
    return f"/model/{quote(id, safe='')}/{operation}"


def foundation_model(id: str) -> str:
    """Return the model behind an inference profile, as far as its id tells.

    >>> foundation_model("us.amazon.nova-pro-v1:0")
    'amazon.nova-pro-v1:0'
    """
    if id.startswith("arn:"):
        _, named = _resource(id, "")
        return foundation_model(named) if named and "." in named else id
    labels = id.split(".")
    is_profile = len(labels) > 2 and labels[0] not in VENDORS and labels[1] in VENDORS
    return id.partition(".")[2] if is_profile else id


def _resource(arn: str, region: str) -> tuple[str, str]:
    """Return an ARN's resource and the model id that it names, or an empty one."""
    fields = arn.split(":", 5)
    if len(fields) < 6 or not fields[5]:
        raise _misconfigured(f"The model id is not a complete ARN: {_masked(arn)}")
    if region and fields[3] and fields[3] != region:
        raise _misconfigured(
            f"The model's ARN belongs to region {fields[3]} but the provider's "
            f"endpoint is in {region}. Use an ARN of {region}, or a provider in "
            f"{fields[3]}."
        )
    resource = fields[5]
    kind, _, rest = resource.partition("/")
    named = rest.partition("/")[0] if kind in _NAMED_RESOURCES else ""
    return resource, named


def _masked(arn: str) -> str:
    """Hide account numbers: this text is shown to callers."""
    return re.sub(r"\d{12}", "************", arn)


def _misconfigured(message: str) -> GatewayError:
    return invalid_request(message, param="model", code="model_misconfigured")


def _base(id: str) -> str:
    # Clients write "anthropic/..." and "bedrock/..." before a name, and capitals in it.
    id = id.rpartition("/")[2].lower()
    labels = id.split(".")
    if len(labels) > 2 and labels[0] not in VENDORS and labels[1] in VENDORS:
        id = id.partition(".")[2]
    for prefix, vendor in _VENDOR_OF.items():
        if id.startswith(prefix):
            id = f"{vendor}.{id}"
    return _OPENAI_VERSION.sub("", _VERSION.sub("", id))


def _family(base: str) -> str:
    if base == "anthropic.claude":  # what is left of anthropic.claude-v2:1
        return "claude-legacy"
    prefixes = [prefix for prefix in _FAMILIES if base.startswith(prefix)]
    return _FAMILIES[max(prefixes, key=len)] if prefixes else UNKNOWN
