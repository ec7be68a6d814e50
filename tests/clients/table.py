"""The clients, each with the door that it uses and the script that uses it."""

from typing import NamedTuple

CHAT = ("plain", "streamed", "tools", "streamed_tools", "structured")
EMBEDDINGS = ("embeddings",)
AGENT = ("edit",)

PYTHON, NODE, PROGRAM = "python", "node", "agents"


class Client(NamedTuple):
    """A row: what the table calls a client, and how it is run.

    `kind` is the folder that its script is in, and says where it is installed;
    `script` has the arguments behind it. It does all of `tasks`.
    """

    name: str
    door: str
    kind: str
    script: tuple[str, ...]
    tasks: tuple[str, ...] = CHAT
    is_locked: bool = False
    """Whether the tests' own environment has it."""

    @property
    def embeds(self) -> bool:
        """Whether it asks for embeddings."""
        return self.tasks == EMBEDDINGS


_CHAT, _RESPONSES = "chat completions", "Responses"
_MESSAGES, _OLLAMA, _EMBEDDINGS = "Messages", "Ollama's", "embeddings"

CLIENTS = (
    Client("`openai` (Python)", _CHAT, PYTHON, ("openai_chat.py",), is_locked=True),
    Client("`openai` (Node)", _CHAT, NODE, ("openai-chat.mjs",)),
    Client(
        "`langchain-openai`",
        _CHAT,
        PYTHON,
        ("langchain_chat.py", "chat"),
        is_locked=True,
    ),
    Client("`@ai-sdk/openai`, `.chat`", _CHAT, NODE, ("ai-sdk.mjs", "chat")),
    Client(
        "opencode, as the Connect page says",
        _CHAT,
        PROGRAM,
        ("opencode.py", "@ai-sdk/openai-compatible"),
        AGENT,
    ),
    Client(
        "`openai` (Python)",
        _RESPONSES,
        PYTHON,
        ("openai_responses.py",),
        is_locked=True,
    ),
    Client("`openai` (Node)", _RESPONSES, NODE, ("openai-responses.mjs",)),
    Client("`openai-agents`", _RESPONSES, PYTHON, ("openai_agents.py",)),
    Client(
        "`pydantic-ai`, `openai:`", _RESPONSES, PYTHON, ("pydantic_agent.py", "openai")
    ),
    Client(
        "`langchain-openai`, `use_responses_api`",
        _RESPONSES,
        PYTHON,
        ("langchain_chat.py", "responses"),
        is_locked=True,
    ),
    Client("`@ai-sdk/openai`", _RESPONSES, NODE, ("ai-sdk.mjs", "responses")),
    Client(
        "opencode, `@ai-sdk/openai`",
        _RESPONSES,
        PROGRAM,
        ("opencode.py", "@ai-sdk/openai"),
        AGENT,
    ),
    Client(
        "Codex, as the Connect page says", _RESPONSES, PROGRAM, ("codex.py",), AGENT
    ),
    Client(
        "`anthropic` (Python)",
        _MESSAGES,
        PYTHON,
        ("anthropic_messages.py",),
        is_locked=True,
    ),
    Client("`@anthropic-ai/sdk`", _MESSAGES, NODE, ("anthropic-messages.mjs",)),
    Client(
        "`pydantic-ai`, `anthropic:`",
        _MESSAGES,
        PYTHON,
        ("pydantic_agent.py", "anthropic"),
    ),
    Client(
        "`langchain-anthropic`", _MESSAGES, PYTHON, ("langchain_chat.py", "messages")
    ),
    Client("`@ai-sdk/anthropic`", _MESSAGES, NODE, ("ai-sdk.mjs", "messages")),
    Client(
        "opencode, `@ai-sdk/anthropic`",
        _MESSAGES,
        PROGRAM,
        ("opencode.py", "@ai-sdk/anthropic"),
        AGENT,
    ),
    Client("`ollama`", _OLLAMA, PYTHON, ("ollama_chat.py",), is_locked=True),
    Client(
        "`openai` (Python)",
        _EMBEDDINGS,
        PYTHON,
        ("openai_embeddings.py",),
        EMBEDDINGS,
        is_locked=True,
    ),
    Client(
        "`openai` (Node)", _EMBEDDINGS, NODE, ("openai-embeddings.mjs",), EMBEDDINGS
    ),
    Client(
        "`langchain-openai`",
        _EMBEDDINGS,
        PYTHON,
        ("langchain_embeddings.py",),
        EMBEDDINGS,
        is_locked=True,
    ),
    Client(
        "`@ai-sdk/openai`, `embedMany`",
        _EMBEDDINGS,
        NODE,
        ("ai-sdk.mjs", "embeddings"),
        EMBEDDINGS,
    ),
    Client(
        "`ollama`, `embed`",
        _EMBEDDINGS,
        PYTHON,
        ("ollama_embeddings.py",),
        EMBEDDINGS,
        is_locked=True,
    ),
)

REASONS: dict[tuple[str, str, str], str] = {}
"""Why a client cannot do a task with a provider, by script, provider and task."""
