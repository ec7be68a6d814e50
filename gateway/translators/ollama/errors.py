"""What Ollama says went wrong: https://docs.ollama.com/api/errors"""

from gateway.hub.errors.meanings import COMMON, NO_MODEL, Vocabulary

WORDS = COMMON | Vocabulary(statuses={404: NO_MODEL})
