"""A request of the Messages API in the hub's format, OpenAI's.

`to_hub` is pure and only appends: the same request gives the same result, and a longer
conversation begins with what the shorter one gave.
https://platform.claude.com/docs/en/api/messages/create
"""

from typing import Any, NamedTuple

from gateway.doors.messages.paths import ClientPath
from gateway.doors.messages.request import fields
from gateway.doors.messages.request.blocks import parts_of
from gateway.doors.messages.request.checks import unknown_tag
from gateway.doors.messages.request.messages import Conversation, content_of, mark
from gateway.doors.messages.request.profile import Profile
from gateway.doors.messages.request.tools.offer import Offer, choice_of
from gateway.doors.messages.request.turns import blocks_in
from gateway.hub.requests.losses import Losses
from gateway.hub.requests.tools.ids import ToolNames
from gateway.wire.jsontext import JSON

BILLING = "x-anthropic-billing-header:"
"""What a block begins with that is no prompt.

Claude Code's older versions changed it with every request, which cost every prefix
cache its hit: https://github.com/ggml-org/llama.cpp/issues/20623
"""


class HubForm(NamedTuple):
    """The request, what it lost on the way, and what the hub cannot be told.

    `stops` are stop sequences that the gateway must look for itself; `client_path`
    leads from a place in the body to where it came from.
    """

    body: JSON
    stops: tuple[str, ...]
    client_path: ClientPath


def to_hub(
    body: JSON,
    profile: Profile,
    losses: Losses,
    session: str = "",
) -> HubForm:
    """Return a request in the hub's format; `session` is the conversation's id.

    Raises a 400 in the Messages API's words, which begin with the path of the field.
    """
    fields.check_known(body, losses)
    names = ToolNames()
    offer = Offer(body, profile, names, losses)
    conversation = Conversation(profile, names, losses)
    for message in _system(body, profile):
        conversation.say(message, "system")
    conversation.add(body)
    hub: JSON = {"model": body["model"], "messages": conversation.messages}
    hub |= fields.limit_of(body, profile, losses)
    hub |= fields.sampling_of(body, profile, losses)
    hub |= fields.reasoning_of(body, profile)
    hub |= fields.format_of(body)
    hub |= fields.user_of(body, session, profile)
    hub |= fields.tier_of(body, profile)
    stops = fields.stops_of(body)
    if stops:
        hub["stop"] = stops[: fields.MOST_STOPS]
    if offer.functions:
        hub["tools"] = offer.functions
    hub |= choice_of(body, offer.given, names, has_tools=bool(offer.functions))
    if profile.cuts_silently:
        # The end of a full window would be answered as if nothing were missing.
        hub["truncate"] = False
    if profile.is_translated and isinstance(body.get("cache_control"), dict):
        hub["cache_control"] = body["cache_control"]
    if body.get("stream") is True:
        hub |= {"stream": True, "stream_options": {"include_usage": True}}
    return HubForm(
        hub,
        tuple(stops) if len(stops) > fields.MOST_STOPS else (),
        ClientPath(conversation.origins, offer.paths),
    )


def _system(body: JSON, profile: Profile) -> list[JSON]:
    """Return the instructions as the message that stands first."""
    if body.get("system") is None:
        return []
    parts: list[Any] = []
    for path, block in blocks_in(body, "system", ""):
        if block["type"] != "text":
            raise unknown_tag(path, block["type"], ("text",))
        made = parts_of(block, path, profile)
        if made and not made[0]["text"].startswith(BILLING):
            if profile.keeps_marks:
                mark(made[0], block, profile)
            parts += made
    if not parts:
        return []
    if profile.keeps_marks:
        return [{"role": "system", "content": content_of(parts)}]
    text = "\n\n".join(part["text"] for part in parts)
    return [{"role": "system", "content": text}]
