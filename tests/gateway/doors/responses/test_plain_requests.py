"""A plain request is read in one go as it is read by parts."""

from hypothesis import example, given
from hypothesis import strategies as st

from gateway.doors.responses.request import hub_form, read_form
from gateway.doors.responses.request.plain import plain_hub
from gateway.hub.protocol import Route
from gateway.wire.jsontext import encode
from tests.gateway.doors.responses.test_any_request_body import anything, fields

ROUTE = Route("m", "u", options={"strict_params": True})

texts = st.sampled_from(["", "a", "b"])
part = st.fixed_dictionaries(
    {"type": st.sampled_from(["input_text", "output_text", "text", "input_image"])},
    optional={
        "text": st.one_of(texts, anything),
        "prompt_cache_breakpoint": st.sampled_from([None, {"mode": "explicit"}]),
        "annotations": st.just([]),
    },
)
item = st.fixed_dictionaries(
    {
        "role": st.sampled_from(["user", "system", "assistant", "developer", "tool"]),
        "content": st.one_of(texts, st.lists(part, max_size=2), anything),
    },
    optional={
        "type": st.sampled_from(["message", None, "reasoning", 1]),
        "id": texts,
        "status": st.just("completed"),
    },
)
turned = item.map(lambda fields: dict(reversed(fields.items())))
said = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant"]), "content": texts}
)
figures = st.fixed_dictionaries(
    {"input": st.one_of(texts, st.lists(item | turned | said, min_size=1, max_size=4))},
    optional={
        "model": st.just("m"),
        "instructions": st.one_of(texts, st.none(), st.lists(item, max_size=1)),
        "max_output_tokens": st.one_of(st.none(), st.integers(0, 9)),
        "max_completion_tokens": st.integers(0, 9),
        "max_tool_calls": st.integers(0, 9),
        "store": st.booleans(),
        "stream": st.booleans(),
        "stream_options": st.just({"include_obfuscation": False}),
        "temperature": st.one_of(st.none(), st.just(0.5)),
        "metadata": st.just({"a": "b"}),
        "parallel_tool_calls": st.booleans(),
        "user": texts,
    },
)


@given(st.one_of(figures, st.builds(lambda a, b: {**a, **b}, fields, figures)))
@example({"input": [{"role": "user", "content": "a"}], "background": True})
def test_a_plain_request_is_what_it_is_by_parts(body):
    """To the byte: the order of the fields as well."""
    hub = plain_hub(body)
    if hub is None:
        return
    form, plainly = read_form(body, ROUTE), hub_form(body, ROUTE)
    assert encode(hub) == encode(form.body) == encode(plainly.body)
    assert form.kinds == plainly.kinds
    assert (form.dropped, form.downgraded, form.shows_thinking) == ((), (), False)
    places = [f"messages[{at}]" for at in range(len(hub["messages"]))]
    for path in ("model", *places, *(f"{place}.content" for place in places)):
        assert form.client_path(path) == plainly.client_path(path)


def test_what_most_send_is_plain():
    """And texts in one part each, as the AI SDK sends them."""
    told = [{"type": "input_text", "text": "Hi."}]
    body = {
        "model": "m",
        "instructions": "Be brief.",
        "input": [{"role": "user", "content": told}, {"role": "assistant", **SAID}],
        "max_output_tokens": 256,
        "store": False,
        "stream": True,
    }
    assert plain_hub(body) == {
        "model": "m",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hi."},
            {"role": "assistant", "content": "Hello."},
        ],
        "max_completion_tokens": 256,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


SAID = {"content": [{"type": "output_text", "text": "Hello.", "annotations": []}]}
