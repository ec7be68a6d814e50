"""What servers that speak OpenAI's format say went wrong.

Anybody may stand behind them: gateways relay the words of those whom they call.
"""

from gateway.hub.errors.meanings import COMMON
from gateway.translators.words import AWS_WORDS, CLAUDE_WORDS, NUMBERED_WORDS

WORDS = COMMON | NUMBERED_WORDS | AWS_WORDS | CLAUDE_WORDS
