"""What servers that speak OpenAI's format say went wrong.

Anybody may stand behind them: gateways relay the words of those whom they call.
"""

from gateway.hub.errors.meanings import COMMON
from gateway.translators.words import AWS_WORDS, CLAUDE_WORDS

WORDS = COMMON | AWS_WORDS | CLAUDE_WORDS
