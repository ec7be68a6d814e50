"""What Bedrock says went wrong: AWS's words, and Claude's, which it passes on."""

from gateway.hub.errors.meanings import COMMON
from gateway.translators.anthropic.errors import CLAUDE_WORDS
from gateway.translators.aws import AWS_WORDS

WORDS = COMMON | CLAUDE_WORDS | AWS_WORDS
