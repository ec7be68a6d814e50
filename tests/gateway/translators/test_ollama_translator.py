"""What golden cases cannot say about Ollama."""

import pytest

from gateway.errors import GatewayError
from gateway.hub.protocol import JSON, Reply, Route
from gateway.translators import ollama
from gateway.wire.bounds import MAX_EVENT

PNG = "data:image/png;base64,iVBORw0KGgo="


def with_image(url: str) -> JSON:
    image = {"type": "image_url", "image_url": {"url": url}}
    return {"model": "alias", "messages": [{"role": "user", "content": [image]}]}


def test_images_by_url_are_to_be_fetched() -> None:
    body = with_image("https://x.example/a.png")
    route = Route("alias", "upstream-model")
    assert ollama.remote_urls(body, route) == ["https://x.example/a.png"]


def test_images_in_the_request_are_not_fetched() -> None:
    assert ollama.remote_urls(with_image(PNG), Route("alias", "m")) == []


def test_images_are_refused_where_the_models_do_not_see() -> None:
    route = Route("alias", "m", options={"vision": False})
    with pytest.raises(GatewayError) as refused:
        ollama.render_request(with_image(PNG), route)
    assert refused.value.param == "messages[0].content[0]"


def test_strict_params_refuse_what_would_be_dropped() -> None:
    body = {"messages": [{"role": "user", "content": "Hi"}], "verbosity": "low"}
    route = Route("alias", "m", options={"strict_params": True})
    with pytest.raises(GatewayError) as refused:
        ollama.render_request(body, route)
    assert refused.value.code == "unsupported_parameter"
    assert refused.value.param == "verbosity"


def test_a_tools_schema_is_not_changed() -> None:
    schema = {"type": "object", "properties": {"a": True}}
    tool = {"type": "function", "function": {"name": "f", "parameters": schema}}
    body = {"messages": [{"role": "user", "content": "Hi"}], "tools": [tool]}
    sent = ollama.render_request(body, Route("alias", "m")).body
    assert sent["tools"][0]["function"]["parameters"]["properties"] == {"a": {}}
    assert schema["properties"] == {"a": True}


def test_ids_made_up_for_one_answer_are_not_those_of_another() -> None:
    call = {"function": {"name": "f", "arguments": {}}}
    answer = {"message": {"role": "assistant", "content": "", "tool_calls": [call]}}

    def id_in(completion_id: str) -> str:
        parsed = ollama.parse_response(answer, {}, Reply("m", completion_id))
        return parsed["choices"][0]["message"]["tool_calls"][0]["id"]

    assert id_in("chatcmpl-1") == id_in("chatcmpl-1")
    assert id_in("chatcmpl-1") != id_in("chatcmpl-2")


def test_an_oversized_line_ends_the_stream() -> None:
    parser = ollama.stream_parser(Reply("m"))
    assert parser.feed(b"x" * (MAX_EVENT + 1)) == []
    assert parser.state.error is not None
    assert parser.state.error.code == "upstream_invalid_response"


def test_nothing_is_read_after_the_last_line() -> None:
    parser = ollama.stream_parser(Reply("m"))
    parser.feed(b'{"done": true, "done_reason": "stop"}\n{"error": "late"}\n')
    assert parser.state.done
    assert parser.state.error is None
    assert parser.close() == []
