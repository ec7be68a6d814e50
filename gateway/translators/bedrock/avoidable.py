"""What some models on Bedrock refuse, and can be called without.

https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-supported-models-features.html
"""

import re

from gateway.hub.protocol import Feature
from gateway.hub.requests.caching import CACHE_MARKS, LONG_CACHE
from gateway.hub.requests.schemas.grammar import GRAMMAR
from gateway.hub.requests.tools.strict import STRICT
from gateway.translators import openai
from gateway.translators.anthropic.avoidable import OUTPUT_CONFIG
from gateway.translators.anthropic.requests.betas import BETAS, PLAIN_TOOLS
from gateway.translators.bedrock.converse.messages import SOURCES
from gateway.translators.bedrock.settings import SERVICE_TIER


def _field(name: str, holder: str, words: str) -> Feature:
    """Return a field of Converse's that some models lack.

    "This model doesn't support the X field. Remove X and try again."
    """
    refusal = rf"support the (?:{holder}\.)?{words}\b[\w.]* field"
    return Feature(name, (holder,), re.compile(refusal, re.IGNORECASE))


AVOIDABLE: tuple[Feature, ...] = (
    _field("stop", "inferenceConfig", "stopSequences"),
    _field("temperature", "inferenceConfig", "temperature"),
    _field("top_p", "inferenceConfig", "topP"),
    _field("tool_choice", "toolConfig", "toolChoice"),
    Feature(
        SOURCES,
        ("searchResult", "citations", "context"),
        re.compile(r"citation|search.?result|context field", re.IGNORECASE),
        anywhere=True,
        lasts=True,
    ),
    GRAMMAR,
    STRICT,
    Feature("output_config", ("output_config", "outputConfig"), OUTPUT_CONFIG),
    LONG_CACHE,
    CACHE_MARKS,
    BETAS,
    PLAIN_TOOLS,
    SERVICE_TIER,
    *openai.AVOIDABLE,
    Feature(
        "stream_tools",
        ("toolConfig",),
        re.compile(r"tool use in streaming|stream\w* .{0,40}tool", re.IGNORECASE),
    ),
)
