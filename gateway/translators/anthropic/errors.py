"""What Anthropic says went wrong: https://platform.claude.com/docs/en/api/errors"""

from gateway.hub.errors.meanings import COMMON
from gateway.translators.words import AWS_WORDS, CLAUDE_WORDS

WORDS = COMMON | AWS_WORDS | CLAUDE_WORDS
"""AWS's among them, which may serve the same API."""
