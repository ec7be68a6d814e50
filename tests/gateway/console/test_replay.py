"""A kept request, sent once more from the Playground."""

import json

import pytest
from django.utils import timezone

from gateway.models import CallBody
from providers.roles import Role, give

MESSAGES = [
    {"role": "system", "content": "Be kind."},
    {"role": "user", "content": "one"},
    {"role": "assistant", "content": "eins"},
    {"role": "user", "content": [{"type": "text", "text": "two"}]},
]
LEFT_OUT = "were left out"


@pytest.fixture
def kept(record, provider, logged_in_client):
    """Keep what a call asked; return the page that asks it again."""
    provider("openai", models=("gpt-4o",))
    provider("other", models=("gpt-4o", "m1"))

    def keep(asked, **fields):
        row = record(**{"model": "gpt-4o", "provider": "other", **fields})
        text = asked if isinstance(asked, str) else json.dumps(asked)
        CallBody.objects.create(
            call_id=row.call_id, stored_at=timezone.now(), asked=text, sent="{}"
        )
        return logged_in_client.get(f"/playground/?replay={row.call_id}")

    return keep


def test_a_conversation_is_filled_in(kept):
    response = kept(
        {"model": "gpt-4o", "messages": MESSAGES, "temperature": 0.5, "max_tokens": 9}
    )
    form = response.context["form"]
    assert form.initial == {
        "model": "other/gpt-4o",
        "system": "Be kind.",
        "temperature": 0.5,
        "max_tokens": 9,
        "message": "two",
    }
    assert form.turns == [("one", "eins", "")]
    page = response.content.decode()
    assert 'name="said" value="one"' in page
    assert LEFT_OUT not in page


@pytest.mark.parametrize(
    "asked",
    [
        {"input": "two", "instructions": "Be kind.", "max_output_tokens": 9},
        {
            "system": [{"type": "text", "text": "Be kind."}],
            "messages": [{"role": "user", "content": "two"}],
            "max_tokens": 9,
        },
        {
            "messages": [
                {"role": "developer", "content": "Be kind."},
                {"role": "user", "content": "two"},
            ],
            "max_completion_tokens": 9,
        },
    ],
)
def test_other_formats_are_read_too(kept, asked):
    initial = kept({"model": "gpt-4o", **asked}).context["form"].initial
    assert initial["message"] == "two"
    assert initial["system"] == "Be kind."
    assert initial["max_tokens"] == 9


@pytest.mark.parametrize(
    "change",
    [
        {"tools": [{"type": "function"}]},
        {"response_format": {"type": "json_object"}},
        {"messages": [{"role": "tool", "content": "x"}, *MESSAGES]},
        {
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "two"},
                        {"type": "image_url", "image_url": {"url": "[file]"}},
                    ],
                }
            ]
        },
        {"messages": [{"role": "user", "content": "two… [7 characters more]"}]},
        {"messages": ["…", *MESSAGES]},
    ],
)
def test_what_is_left_out_is_told(kept, change):
    response = kept({"model": "gpt-4o", "messages": MESSAGES, **change})
    assert LEFT_OUT in response.content.decode()
    assert response.context["form"].initial["message"].startswith("two")


@pytest.mark.parametrize(
    "asked", ["", "[1]", '{"messages": [… [7 characters more]', '"text"']
)
def test_a_piece_of_a_request_is_not_sent_again(kept, asked):
    assert "no more than a piece is kept" in kept(asked).content.decode()


@pytest.mark.parametrize(
    "messages", [None, 7, {}, [7, None, "x"], [{}], [{"role": 1, "content": {"a": 1}}]]
)
def test_a_strange_request_breaks_nothing(kept, messages):
    assert kept({"model": 7, "messages": messages}).status_code == 200


def test_a_model_that_is_gone_is_told(kept):
    page = kept({"messages": MESSAGES}, model="gone", provider="away").content.decode()
    assert "gone is not served any more" in page


def test_the_model_that_was_asked_for_is_second_best(kept):
    response = kept({"model": "gpt-4o", "messages": MESSAGES}, provider="away")
    assert response.context["form"].initial["model"] == "gpt-4o"


def test_what_is_not_kept_is_told(logged_in_client, record, provider):
    provider("openai")
    for call_id in (record().call_id, "nothing"):
        page = logged_in_client.get(f"/playground/?replay={call_id}").content.decode()
        assert "asked is not kept" in page


def test_viewers_are_refused(client, kept, django_user_model):
    kept({"messages": MESSAGES})
    viewer = django_user_model.objects.create_user("vera", password="x")
    give(viewer, Role.VIEWER)
    client.force_login(viewer)
    address = f"/playground/?replay={CallBody.objects.get().call_id}"
    assert client.get(address).status_code == 403


def test_the_page_of_a_request_leads_there(kept, logged_in_client, record):
    kept({"messages": MESSAGES})
    call_id = CallBody.objects.get().call_id
    page = logged_in_client.get(f"/requests/{call_id}/").content.decode()
    assert f"/playground/?replay={call_id}" in page
    page = logged_in_client.get(f"/requests/{record().call_id}/").content.decode()
    assert "replay=" not in page
