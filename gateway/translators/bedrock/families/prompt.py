"""Models whose body is one prompt: Llama, Mistral's older ones, DeepSeek R1, Titan.

https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from gateway.errors import unsupported
from gateway.hub.protocol import JSON, Learned
from gateway.hub.requests.conversation import walk
from gateway.hub.requests.rendering import Rendering
from gateway.translators.bedrock import parameters
from gateway.translators.bedrock.families.plain import Conversation, Turn, conversation
from gateway.translators.bedrock.in_words import asked_in_words


@dataclass(frozen=True)
class Family:
    """How a family writes a prompt and names its parameters.

    `control` finds what would end or begin a turn; `names` are the upstream's names of
    the parameters it has. Without ``stop`` among them stopping is the gateway's work.
    """

    prompt: Callable[[Conversation, str], str]
    control: re.Pattern[str]
    names: Mapping[str, str]
    default_limit: int = 0
    wrap: Callable[[str, JSON], JSON] = field(
        default=lambda prompt, settings: {"prompt": prompt, **settings}
    )


def render(family: str, rendering: Rendering) -> tuple[JSON, Learned]:
    """Return the body for `family` and what its answer's parser must know.

    Raises `GatewayError` (400) for tools and for content other than text.
    """
    body, of, base = rendering.body, FAMILIES[family], rendering.route.base_model
    if "tools" in body or "functions" in body:
        name = "tools" if "tools" in body else "functions"
        raise unsupported(
            f"This model takes no '{name}' over InvokeModel. Set the provider's "
            "Bedrock API to 'auto' or 'converse', or remove them.",
            param=name,
        )
    parameters.refuse(body)
    parameters.drop_rest(rendering, frozenset(of.names))
    talk = conversation(walk(rendering, str), max_images=_max_images(base))
    wanted = asked_in_words(rendering)
    system = "\n\n".join(text for text in (talk.system, wanted) if text)
    talk = Conversation(
        _neutral(system, of.control),
        [turn._replace(text=_neutral(turn.text, of.control)) for turn in talk.turns],
        talk.images,
    )
    settings = parameters.sampling(rendering, of.names, default_limit=of.default_limit)
    rendered = of.wrap(of.prompt(talk, base), settings)
    if talk.images:
        rendered["images"] = [image.base64 for image in talk.images]
    stop = () if "stop" in of.names else tuple(body.get("stop", ()))
    return rendered, {"strip_fence": bool(wanted), "stop": stop}


def _max_images(base: str) -> int:
    is_vision = base.startswith(("meta.llama3-2-11b", "meta.llama3-2-90b"))
    return 1 if is_vision else 0


def _neutral(text: str, control: re.Pattern[str]) -> str:
    """Break control tokens in what a client wrote, so that it cannot forge turns."""
    return control.sub(lambda found: f"{found[0][0]}\u200b{found[0][1:]}", text)


def _llama_prompt(talk: Conversation, base: str) -> str:
    # https://www.llama.com/docs/model-cards-and-prompt-formats/
    if base.startswith("meta.llama2"):
        return _llama_2_prompt(talk)
    head, end, stop = "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"
    if base.startswith("meta.llama4"):
        head, end, stop = "<|header_start|>", "<|header_end|>", "<|eot|>"
    turns = [Turn("system", talk.system)] if talk.system else []
    text = "".join(
        f"{head}{turn.role}{end}\n\n{'<|image|>' * turn.images}{turn.text}{stop}"
        for turn in turns + talk.turns
    )
    return f"<|begin_of_text|>{text}{head}assistant{end}\n\n"


def _llama_2_prompt(talk: Conversation) -> str:
    # https://www.llama.com/docs/model-cards-and-prompt-formats/meta-llama-2/
    first, *rest = talk.turns
    system = f"<<SYS>>\n{talk.system}\n<</SYS>>\n\n" if talk.system else ""
    text = f"<s>[INST] {system}{first.text} [/INST]"
    for turn in rest:
        if turn.role == "assistant":
            text += f" {turn.text} </s>"
        else:
            text += f"<s>[INST] {turn.text} [/INST]"
    return text


def _mistral_prompt(talk: Conversation, _: str) -> str:
    first, *rest = talk.turns
    opening = f"{talk.system}\n\n{first.text}" if talk.system else first.text
    text = f"<s>[INST] {opening} [/INST]"
    for turn in rest:
        if turn.role == "assistant":
            text += f" {turn.text}</s>"
        else:
            text += f"[INST] {turn.text} [/INST]"
    return text


def _r1_token(name: str) -> str:
    # R1's tokens are written with a full-width bar and a low block for a space.
    return "<\uff5c" + name.replace(" ", "\u2581") + "\uff5c>"


def _r1_prompt(talk: Conversation, _: str) -> str:
    user, assistant = _r1_token("User"), _r1_token("Assistant")
    end = _r1_token("end of sentence")
    text = _r1_token("begin of sentence") + talk.system
    for turn in talk.turns:
        if turn.role == "assistant":
            text += f"{assistant}{turn.text}{end}"
        else:
            text += f"{user}{turn.text}"
    return f"{text}{assistant}<think>\n"


def _titan_prompt(talk: Conversation, _: str) -> str:
    speakers = {"user": "User", "assistant": "Bot"}
    lines = [f"{speakers[turn.role]}: {turn.text}" for turn in talk.turns]
    text = "\n".join([*lines, "Bot:"])
    return f"{talk.system}\n\n{text}" if talk.system else text


def _titan_body(prompt: str, settings: JSON) -> JSON:
    return {
        "inputText": prompt,
        "textGenerationConfig": {**settings, "stopSequences": []},
    }


_COMMON = {"limit": "max_tokens", "temperature": "temperature", "top_p": "top_p"}

FAMILIES = {
    "llama": Family(
        _llama_prompt,
        re.compile(r"<\||</?s>|\[/?INST\]|<</?SYS>>"),
        {**_COMMON, "limit": "max_gen_len"},
        default_limit=2048,
    ),
    "mistral-text": Family(
        _mistral_prompt,
        re.compile(r"</?s>|\[/?[A-Z_]{3,}\]"),
        {**_COMMON, "top_k": "top_k", "stop": "stop"},
    ),
    "r1": Family(
        _r1_prompt,
        re.compile("<\uff5c|</?think>"),
        {**_COMMON, "stop": "stop"},
        default_limit=8192,
    ),
    "titan": Family(
        _titan_prompt,
        re.compile(r"^(?:User|Bot):", re.MULTILINE),
        {"limit": "maxTokenCount", "temperature": "temperature", "top_p": "topP"},
        default_limit=2048,
        wrap=_titan_body,
    ),
}
