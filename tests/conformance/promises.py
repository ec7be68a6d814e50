"""The promises of translation, numbered, and where each is held.

A golden case begins with the number of its promise. What cannot be told by a case, or
stands in a folder named in words, is listed in `ELSEWHERE`.
"""

TITLES: tuple[str, ...] = (
    "leading system and developer messages",
    "a system message amid the conversation",
    "a system message alone",
    "two user messages in a row",
    "results in the order of their calls",
    "a call without a result is refused",
    "a result without a call is refused",
    "empty text beside a call",
    "blank text is removed",
    "an empty result",
    "arguments that are no object",
    "call ids outside the alphabet",
    "call ids that look alike",
    "a call id used twice",
    "a call id that is too long",
    "Mistral's call ids",
    "tool names outside the alphabet",
    "calls in the history, no tools on offer: Claude",
    "calls in the history, no tools on offer: Converse",
    "the assistant speaks first",
    "the assistant speaks last",
    "results beside other content, where a model takes them alone",
    "the status of a result, where a model refuses it",
    "legacy functions",
    "a refusal in the history",
    "thinking is replayed first and byte by byte",
    "a longer conversation begins with the shorter one",
    "replayed thinking is bound softly",
    "a call without its thinking",
    "thinking that was left out keeps its signature",
    "thinking without a signature",
    "an image with a wrong label",
    "base64 in odd forms",
    "an image by URL; addresses within are never asked",
    "an image by URL is fetched",
    "text and image in one message",
    "audio is refused where nobody hears it",
    "PDF and other files",
    "a document alone",
    "an image format that nobody reads",
    "a tool without parameters",
    "branches at the root of a schema",
    "tool_choice none and auto",
    "tool_choice required and named, also where it cannot be forced",
    "one call at a time",
    "only the first of two calls",
    "allowed tools",
    "tool_choice without tools",
    "custom tools are refused",
    "a blank description",
    "a forced tool instead of thinking",
    "keys of tools that a host refuses; strict and native tools",
    "sampling that a model does not take",
    "temperature or top_p, not both",
    "a temperature above one",
    "headers of the Messages API",
    "InvokeModel's body for Claude",
    "no limit given",
    "a limit above the model's",
    "two limits given",
    "a thinking budget within the limit",
    "reasoning effort none",
    "reasoning effort by model",
    "a stop sequence of whitespace",
    "log probabilities, biases, several choices",
    "who asks: hashed where it could be a person",
    "cache marks, four at the most",
    "OpenAI's cache breakpoints",
    "a JSON schema, natively",
    "a JSON schema, by tool or instruction",
    "a JSON object",
    "Ollama's format",
    "Ollama's stream and arguments",
    "a model that cannot think is asked to",
    "InvokeModel's OpenAI-shaped body",
    "control tokens in a client's text",
    "usage with caches",
    "refusals",
    "unknown reasons and a full window",
    "a call whatever the reason to end",
    "malformed output",
    "a guardrail intervened",
    "arguments leave unescaped",
    "reasoning in tags is split off, Claude's is not",
    "positional call ids become unique",
    "citations of the web",
    "answers of the prompt families",
    "two calls of Ollama's",
    "a streamed call without arguments",
    "a streamed call in pieces",
    "indexes count calls, not blocks",
    "usage is overwritten, not added",
    "an error first, and an error after text",
    "a stream without its end",
    "a second beginning",
    "pings and silence",
    "thinking in a stream",
    "usage in a stream, asked for or not",
    "frames however they are cut, and a wrong checksum",
    "an exception among the frames",
    "metrics and guardrails stay inside",
    "Ollama's streamed calls",
    "a character cut in two, and an error inside",
    "sloppy servers are put right",
    "a client that leaves",
    "a JSON answer by tool, streamed",
    "limits and overload keep their meaning",
    "a rejected key is not shown",
    "a prompt that is too long",
    "throttling",
    "Bedrock's other failures",
    "web pages, half answers, redirects",
    "FastAPI's errors",
    "a model that Ollama lacks",
    "an id with a version, in the path and the signature",
    "an application inference profile",
    "ids with a region before them",
    "an ARN of another region",
    "session tokens and Bedrock API keys",
    "an unknown operation in a 200",
)

OPENAI, ANTHROPIC = "OpenAI-compatible", "Anthropic"
CLAUDE, INVOKE, CONVERSE = "Bedrock Claude", "Bedrock other Invoke", "Converse"
OLLAMA = "Ollama"
COLUMNS = (OPENAI, ANTHROPIC, CLAUDE, INVOKE, CONVERSE, OLLAMA)
BEDROCK = (CLAUDE, INVOKE, CONVERSE)

GATEWAY = "tests/gateway/"
TRANSLATORS = GATEWAY + "translators/"

ELSEWHERE: dict[int, dict[str | tuple[str, ...], tuple[str, ...]]] = {
    1: {OLLAMA: ("ollama/tools_and_their_results",)},
    11: {OLLAMA: ("ollama/arguments_that_are_no_object",)},
    24: {OLLAMA: ("ollama/legacy_functions",)},
    27: {
        ANTHROPIC: (
            TRANSLATORS + "test_anthropic_request.py::"
            "test_a_longer_conversation_begins_with_the_shorter_one",
        )
    },
    34: {
        BEDROCK: (
            TRANSLATORS + "test_bedrock.py::test_a_fetched_image_is_sent_as_bytes",
        ),
        OLLAMA: (
            GATEWAY + "calls/test_images.py::test_addresses_within_are_never_asked",
        ),
    },
    35: {
        OLLAMA: (
            GATEWAY
            + "calls/test_images.py::test_an_image_is_fetched_and_sent_as_bytes",
        )
    },
    36: {OLLAMA: ("ollama/text_and_image_parts_become_one_message",)},
    37: {OLLAMA: ("ollama/audio_is_refused",)},
    38: {OLLAMA: ("ollama/a_pdf_is_refused", "ollama/a_text_file_becomes_text")},
    43: {OLLAMA: ("ollama/no_tools_where_none_may_be_called",)},
    44: {
        OLLAMA: (
            "ollama/required_is_weakened",
            "ollama/a_named_tool_is_the_only_one_offered",
        )
    },
    46: {
        OLLAMA: (
            "ollama/only_the_first_tool_call_is_kept",
            "ollama/stream_of_which_only_the_first_tool_call_is_kept",
        ),
        CONVERSE: ("bedrock/only-the-first-call",),
    },
    47: {OLLAMA: ("ollama/allowed_tools_are_the_only_ones_offered",)},
    49: {OLLAMA: ("ollama/a_custom_tool_is_refused",)},
    60: {OPENAI: ("openai/max_completion_tokens_wins",)},
    65: {OLLAMA: ("ollama/logit_bias_is_refused",)},
    72: {
        OLLAMA: ("ollama/json_schema_is_the_format", "ollama/json_object_is_the_format")
    },
    73: {
        OLLAMA: (
            "ollama/plain_request_is_not_streamed",
            "ollama/tools_and_their_results",
        )
    },
    74: {OLLAMA: ("ollama/error_no_thinking",)},
    88: {OLLAMA: ("ollama/answer_with_two_tool_calls",)},
    93: {OPENAI: ("openai/stream_with_an_error_inside",)},
    94: {
        OPENAI: ("openai/stream_that_is_cut_off",),
        OLLAMA: ("ollama/stream_cut_off_inside_a_line",),
    },
    96: {
        ANTHROPIC: (
            "tests/conformance/test_silence.py::test_silence_and_pings_become_comments",
        )
    },
    98: {
        OPENAI: (
            "openai/stream_hides_usage_that_was_not_asked_for",
            "openai/stream_shows_usage_that_was_asked_for",
        ),
        OLLAMA: ("ollama/stream_with_usage",),
    },
    99: {BEDROCK: (GATEWAY + "wire/test_eventstream.py::",)},
    102: {
        OLLAMA: (
            "ollama/stream_of_tool_calls_on_the_last_line",
            "ollama/stream_of_tool_calls_that_all_have_index_0",
        )
    },
    103: {OLLAMA: ("ollama/stream_with_an_error_inside",)},
    104: {
        OPENAI: (
            "openai/stream_without_done_role_or_space",
            "openai/stream_hides_usage_that_was_not_asked_for",
        )
    },
    105: {
        OPENAI: ("tests/e2e/test_disconnect.py::test_clients_that_leave_in_mid_stream",)
    },
    107: {
        OPENAI: ("openai/error_keeps_code_param_and_limits",),
        OLLAMA: ("ollama/error_queue_full",),
    },
    108: {OPENAI: ("openai/error_with_a_key_in_it",)},
    112: {
        OPENAI: (
            "openai/error_page_in_html",
            "openai/error_is_a_redirect",
            GATEWAY + "every_door/test_outcomes.py::"
            "test_a_provider_that_answers_html_is_a_502_without_the_html",
            "tests/e2e/test_upstream_faults.py::test_a_fault_of_a_whole_answer",
        )
    },
    113: {OPENAI: ("openai/error_in_fastapis_shape",)},
    114: {OLLAMA: ("ollama/error_model_not_found",)},
    115: {
        BEDROCK: (
            TRANSLATORS
            + "test_bedrock_ids.py::test_a_path_is_encoded_as_it_must_be_sent",
            "tests/e2e/test_sigv4.py::test_the_signature_covers_exactly_what_arrived",
        )
    },
    117: {
        BEDROCK: (
            TRANSLATORS + "test_bedrock_ids.py::test_an_id_names_its_base_and_family",
        )
    },
    119: {
        BEDROCK: (
            "tests/e2e/test_sigv4.py::test_a_session_token_is_sent_and_signed",
            "tests/e2e/test_sigv4.py::test_a_bedrock_api_key_replaces_the_signature",
        )
    },
}
"""By number and upstream: folders of cases, and tests by the start of their id."""
