"""What goes beyond OpenAI's format is sent, told, or ignored by a rule written here.

https://openrouter.ai/docs/api-reference/overview and docs/translation.md
"""

from gateway.errors import GatewayError
from gateway.hub.protocol import JSON, Route, UpstreamRequest
from gateway.translators import TRANSLATORS
from tests.at_once import at_once

BREAK = {"mode": "explicit"}
LONG = {"type": "ephemeral", "ttl": "1h"}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}


def asking(content: object = "hi", **fields: object) -> JSON:
    return {"model": "m", "messages": [{"role": "user", "content": content}], **fields}


def in_turn(**fields: object) -> JSON:
    said = {"role": "assistant", "content": "Yes.", **fields}
    asked = {"role": "user", "content": "hi"}
    return {"model": "m", "messages": [asked, said, asked]}


def with_tool(tool: JSON) -> JSON:
    called = {"id": "call_0001", "type": "function"}
    called["function"] = {"name": "f", "arguments": "{}"}
    return {
        "model": "m",
        "messages": [
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": None, "tool_calls": [called]},
            tool,
        ],
        "tools": [TOOL],
    }


RESULT = {"role": "tool", "tool_call_id": "call_0001", "content": "no"}

EXTENSIONS: dict[str, tuple[JSON, JSON]] = {
    "top_k": (asking(), asking(top_k=7)),
    "min_p": (asking(), asking(min_p=0.2)),
    "repeat_penalty": (asking(), asking(repeat_penalty=1.1)),
    "num_ctx": (asking(), asking(num_ctx=8192)),
    "keep_alive": (asking(), asking(keep_alive="5m")),
    "truncate": (asking(), asking(truncate=True)),
    "thinking": (asking(), asking(thinking={"type": "enabled", "budget_tokens": 2000})),
    "reasoning": (asking(), asking(reasoning={"effort": "high"})),
    "mcp_servers": (asking(), asking(mcp_servers=[{"type": "url", "name": "a"}])),
    "cache_control": (asking(), asking(cache_control=LONG)),
    "cache_control of a part": (
        asking([{"type": "text", "text": "hi"}]),
        asking([{"type": "text", "text": "hi", "cache_control": LONG}]),
    ),
    "cache_control of a message": (in_turn(), in_turn(cache_control=LONG)),
    "cache_control of a tool": (
        asking(tools=[TOOL]),
        asking(tools=[{**TOOL, "cache_control": LONG}]),
    ),
    "cache_control of a result": (
        with_tool(RESULT),
        with_tool({**RESULT, "cache_control": LONG}),
    ),
    "prompt_cache_breakpoint": (
        asking([{"type": "text", "text": "hi"}]),
        asking([{"type": "text", "text": "hi", "prompt_cache_breakpoint": BREAK}]),
    ),
    "is_error": (with_tool(RESULT), with_tool({**RESULT, "is_error": True})),
    "thinking_blocks": (
        in_turn(),
        in_turn(
            thinking_blocks=[{"type": "thinking", "thinking": "Hm.", "signature": "s"}]
        ),
    ),
    "reasoning_content": (in_turn(), in_turn(reasoning_content="Hm.")),
    "an unknown field": (asking(), asking(such_as_this=1)),
}

WAYS = {
    "openai": ("openai", "gpt-5", {}),
    "anthropic": ("anthropic", "claude-sonnet-4-5", {}),
    "claude": ("bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", {}),
    "claude-3": ("bedrock", "anthropic.claude-3-haiku-20240307-v1:0", {}),
    "claude-converse": (
        "bedrock",
        "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        {"bedrock_api": "converse"},
    ),
    "nova": ("bedrock", "us.amazon.nova-pro-v1:0", {}),
    "nova-converse": (
        "bedrock",
        "us.amazon.nova-pro-v1:0",
        {"bedrock_api": "converse"},
    ),
    "qwen": ("bedrock", "qwen.qwen3-32b-v1:0", {}),
    "mistral": ("bedrock", "mistral.mistral-large-2407-v1:0", {}),
    "cohere": ("bedrock", "cohere.command-r-plus-v1:0", {"bedrock_api": "invoke"}),
    "llama": ("bedrock", "us.meta.llama3-1-70b-instruct-v1:0", {}),
    "titan": ("bedrock", "amazon.titan-text-express-v1", {}),
    "r1": ("bedrock", "us.deepseek.r1-v1:0", {}),
    "ollama": ("ollama", "llama3.1:8b", {}),
}

WITHOUT_CACHE = frozenset(WAYS) - {
    "openai",
    "anthropic",
    "claude",
    "claude-converse",
    "nova",
    "nova-converse",
}
"""A mark is a hint: where there is no cache it says nothing."""

NO_THINKING_BACK = frozenset(WAYS) - {
    "anthropic",
    "claude",
    "claude-converse",
    "ollama",
}
"""Only Claude signs its thinking; others do not miss what they thought before."""

ONLY_SIGNED = frozenset({"anthropic", "claude", "claude-3", "claude-converse"})
"""Claude takes no thinking without its signature."""

IGNORED = {
    "cache_control": WITHOUT_CACHE,
    "cache_control of a part": WITHOUT_CACHE,
    "cache_control of a message": WITHOUT_CACHE,
    # Nova caches tools only together with what follows them.
    "cache_control of a tool": WITHOUT_CACHE | {"nova", "nova-converse"},
    "cache_control of a result": WITHOUT_CACHE,
    "prompt_cache_breakpoint": WITHOUT_CACHE,
    # They read of a failure in the result's text.
    "is_error": frozenset(WAYS) - ONLY_SIGNED - {"nova", "nova-converse"},
    "thinking_blocks": NO_THINKING_BACK,
    "reasoning_content": NO_THINKING_BACK - {"openai"} | ONLY_SIGNED,
}


def rendered(way: str, body: JSON) -> UpstreamRequest:
    translator, model, options = WAYS[way]
    route = Route("m", model, options=options)
    return TRANSLATORS[translator].render_request(body, route)


@at_once("way", WAYS)
@at_once("extension", EXTENSIONS)
def test_an_extension_is_sent_told_or_ignored_by_a_rule(extension, way):
    without, body = EXTENSIONS[extension]
    plain = rendered(way, without)
    try:
        extended = rendered(way, body)
    except GatewayError as error:
        refused = error
    else:
        is_sent = extended.body != plain.body
        is_told = bool(extended.dropped or extended.downgraded)
        assert (is_sent or is_told) != (way in IGNORED.get(extension, ()))
        return
    assert (refused.status, refused.code) == (400, "unsupported_parameter")
