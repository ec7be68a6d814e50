"""What Bedrock says went wrong: AWS's words, and Claude's, which it passes on."""

from gateway.hub.errors.meanings import COMMON
from gateway.translators.words import AWS_WORDS, CLAUDE_WORDS

WORDS = COMMON | CLAUDE_WORDS | AWS_WORDS
