"""What Ollama says went wrong: https://docs.ollama.com/api/errors"""

from gateway.hub.errors.meanings import COMMON, NO_MODEL, Outcome, Vocabulary, sayings

_BAD_SCHEMA = Outcome(400, "invalid_request_error", "invalid_json_schema")

_REFUSED = Outcome(400, "invalid_request_error", "invalid_value")

WORDS = COMMON | Vocabulary(
    # It says 500 for what a client wrote.
    sayings=sayings(
        (
            r"(invalid JSON schema in|vocabulary required for|invalid) "
            r"(?P<param>format)\b",
            _BAD_SCHEMA,
        ),
        (r"(error|failed).{0,20}pars\w+ grammar", _BAD_SCHEMA),
        # Templates of models raise these: https://github.com/ollama/ollama/issues/18241
        (r"raise_exception|jinja exception", _REFUSED),
        (r"system message must be at the beginning", _REFUSED),
        (r"role '?system'? (is )?not supported", _REFUSED),
    ),
    statuses={404: NO_MODEL},
    params={"format": "response_format"},
)
