"""What some hosts of Claude refuse, and Claude can do without."""

import re

from gateway.hub.protocol import Feature
from gateway.hub.requests.caching import CACHE_MARKS, LONG_CACHE
from gateway.hub.requests.schemas.grammar import GRAMMAR
from gateway.hub.requests.tools.strict import STRICT
from gateway.translators.anthropic.requests.betas import BETAS, PLAIN_TOOLS

OUTPUT_CONFIG = re.compile(r"output_?(config|format)", re.IGNORECASE)
"""How structured output and effort are named in refusals."""

AVOIDABLE: tuple[Feature, ...] = (
    # Before the format: refusals of a schema name that, too.
    GRAMMAR,
    STRICT,
    Feature("output_config", ("output_config",), OUTPUT_CONFIG),
    LONG_CACHE,
    CACHE_MARKS,
    BETAS,
    PLAIN_TOOLS,
)
