"""Which call each result answers.

https://platform.claude.com/docs/en/agents-and-tools/tool-use/implement-tool-use
"""

from gateway.doors.messages.request.checks import invalid, text_in
from gateway.doors.messages.request.turns import Turn
from gateway.errors import GatewayError


def paired(turns: list[Turn]) -> list[Turn]:
    """Return turns in which the results of calls follow them at once.

    What stood between as an instruction follows the results. Raises a 400 for a call
    without a result and for a result without a call.
    """
    ordered: list[Turn] = []
    held: list[Turn] = []
    waiting: list[str] = []
    for turn in turns:
        if turn.role == "system" and waiting:
            held.append(turn)
            continue
        if turn.role == "user":
            waiting = _left_by(turn, waiting)
        if waiting:
            raise _unanswered(ordered[-1].path, waiting)
        waiting = calls_in(turn) if turn.role == "assistant" else []
        ordered += [turn, *held]
        held = []
    if waiting:
        raise _unanswered(ordered[-1].path, waiting)
    return ordered


def calls_in(turn: Turn) -> list[str]:
    """Return the ids of the calls of a turn."""
    return [text_in(block, "id", path) for path, block in turn.of_type("tool_use")]


def _left_by(turn: Turn, waiting: list[str]) -> list[str]:
    """Return which of the calls that wait a user's turn does not answer.

    Raises a 400 for a result that answers none of them, or one a second time.
    """
    answered: set[str] = set()
    for path, block in turn.of_type("tool_result"):
        id = text_in(block, "tool_use_id", path)
        if id not in waiting:
            raise invalid(
                path,
                f"unexpected `tool_use_id` found in `tool_result` blocks: {id[:200]}. "
                "Each `tool_result` block must have a corresponding `tool_use` block "
                "in the previous message.",
            )
        if id in answered:
            raise invalid(
                path,
                "each tool_use must have a single result. Found multiple "
                f"`tool_result` blocks with id: {id[:200]}",
            )
        answered.add(id)
    return [id for id in waiting if id not in answered]


def _unanswered(path: str, ids: list[str]) -> GatewayError:
    return invalid(
        path,
        "`tool_use` ids were found without `tool_result` blocks immediately after: "
        f"{', '.join(ids[:10])}. Each `tool_use` block must have a corresponding "
        "`tool_result` block in the next message.",
    )
