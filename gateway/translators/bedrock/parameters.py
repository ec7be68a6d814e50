"""The parameters of a request that all of Bedrock's models but Claude treat alike."""

from collections.abc import Mapping

from gateway.errors import unsupported
from gateway.hub.protocol import JSON
from gateway.hub.requests.rendering import Rendering
from gateway.hub.requests.tools.offered import Tool
from gateway.hub.requests.validation import output_limit
from gateway.translators.bedrock.ranges import UNIT_TEMPERATURE, ranges_of, within

# Best-effort tuning: an answer without them is still an answer to the request.
_TUNING = (
    "top_k",
    "seed",
    "frequency_penalty",
    "presence_penalty",
    "min_p",
    "repeat_penalty",
    "num_ctx",
    "keep_alive",
    "truncate",
    "mcp_servers",
    "thinking",
    "reasoning",
    "reasoning_effort",
    "verbosity",
    "user",
    "safety_identifier",
    "store",
)

# What would change the answer's meaning if it were left out.
_REFUSED = ("logprobs", "logit_bias", "web_search_options")

_ZERO_IS_MEANT = frozenset({"temperature", "top_p", "seed"})


def refuse(body: JSON, expressible: frozenset[str] = frozenset()) -> None:
    """Raise a 400 for a parameter that this model cannot honour.

    `expressible` names those that its body can say after all.
    """
    for name in _REFUSED:
        asked = body.get(name) or (name == "web_search_options" and name in body)
        if asked and name not in expressible:
            raise unsupported(
                f"This model does not support '{name}'. Remove '{name}'.", param=name
            )


def drop_rest(rendering: Rendering, used: frozenset[str] = frozenset()) -> None:
    """Note every tuning parameter of the request that is not among `used`."""
    body = rendering.body
    for name in _TUNING:
        asked = body.get(name) or (name in _ZERO_IS_MEANT and name in body)
        if asked and name not in used:
            rendering.losses.drop(name)


def sampling(
    rendering: Rendering, names: Mapping[str, str], *, default_limit: int = 0
) -> JSON:
    """Return limits and sampling under the upstream's `names`, within its ranges.

    `names` maps ours (``limit`` for the output limit) to the upstream's. Bedrock's
    models take a temperature up to 1.
    """
    ranges = UNIT_TEMPERATURE | ranges_of(rendering.route.base_model)
    values: JSON = {name: rendering.body.get(name) for name in names}
    if "limit" in names:
        values["limit"] = output_limit(rendering.body) or default_limit or None
    values = {
        name: within(rendering, name, value, ranges) for name, value in values.items()
    }
    return {
        upstream: values[name]
        for name, upstream in names.items()
        if values[name] or (values[name] == 0 and name in _ZERO_IS_MEANT)
    }


def refuse_native(tool: Tool) -> None:
    """Raise a 400 for a tool that is no function."""
    if tool.native is not None:
        raise unsupported(
            f"'{tool.param}' is a tool in Anthropic's own format, which this provider "
            "does not take. Write it as a function.",
            param=tool.param,
        )
