"""The bodies on a request's page: readable, folded where long, searched."""

import json

import pytest
from django.utils import timezone

from gateway.console.requests import bodies
from gateway.models import CallBody
from providers.roles import Role, give


@pytest.fixture
def kept(record):
    """Keep bodies of a call; return the address of its page."""

    def keep(**texts):
        row = record()
        CallBody.objects.create(
            call_id=row.call_id,
            stored_at=timezone.now(),
            sent_path="/v1/chat/completions",
            **{"asked": "{}", "sent": "{}", **texts},
        )
        return f"/requests/{row.call_id}/"

    return keep


def long(lines):
    return json.dumps({"messages": [f"line {n}" for n in range(lines)]})


def details_of(page):
    """Return the openings of the foldable bodies."""
    return [
        part.partition(">")[0]
        for part in page.split("<details")[1:]
        if "body" in part.partition(">")[0]
    ]


def test_json_is_on_many_lines_and_cut_text_as_it_is(logged_in_client, kept):
    page = logged_in_client.get(
        kept(asked='{"model":"m","n":1}', sent='{"a": "cut… [7 characters more]')
    ).content.decode()
    assert "{\n  &quot;model&quot;: &quot;m&quot;," in page
    assert "{&quot;a&quot;: &quot;cut… [7 characters more]" in page
    assert page.count("data-copy=") >= 2


def test_long_bodies_are_folded(logged_in_client, kept):
    page = logged_in_client.get(kept(asked=long(200), sent=long(3))).content.decode()
    asked, sent = details_of(page)
    assert "open" not in asked
    assert "open" in sent
    assert "204 lines" in " ".join(page.split())


def test_what_is_looked_for_is_marked_and_unfolded(logged_in_client, kept):
    address = kept(asked=long(200), sent=long(3), answered=json.dumps("LINE 150"))
    page = logged_in_client.get(f"{address}?find=line 150").content.decode()
    asked, sent, answered = details_of(page)
    assert "open" in asked
    assert "open" not in sent
    assert "open" in answered
    assert "<mark>line 150</mark>" in page
    assert "<mark>LINE 150</mark>" in page
    assert "Found 2 times" in page
    assert 'value="line 150"' in page


def test_nothing_found_is_told(logged_in_client, kept):
    page = logged_in_client.get(f"{kept()}?find=nowhere").content.decode()
    assert "Found 0 times" in page
    assert "<mark>" not in page


@pytest.mark.parametrize("search", ["<b>", "&", '"', "(", ".*", "\\", "&lt;", "a"])
def test_what_is_searched_and_found_stays_text(search):
    text = f'x<b>a</b> & {search} "q" <script>'
    html, hits = bodies._marked(text, search)
    bare = html.replace("<mark>", "").replace("</mark>", "")
    assert "<" not in bare
    assert hits >= 1


def test_very_many_places_are_counted_and_some_marked(monkeypatch):
    monkeypatch.setattr(bodies, "MOST_HITS", 2)
    html, hits = bodies._marked("a a a a", "A")
    assert (html.count("<mark>"), hits) == (2, 4)


def test_viewers_see_no_bodies_and_find_none(client, kept, django_user_model):
    viewer = django_user_model.objects.create_user("vera", password="x")
    give(viewer, Role.VIEWER)
    client.force_login(viewer)
    address = kept(asked='{"secret": "plan"}')
    page = client.get(f"{address}?find=plan").content.decode()
    assert "shown to operators only" in page
    assert "Found" not in page
    assert "&quot;secret" not in page


@pytest.mark.parametrize(
    ("door", "may"), [("completions", 0), ("moderations", 0), ("chat", 1)]
)
def test_what_holds_no_conversation_is_not_replayed(
    logged_in_client, record, door, may
):
    row = record(door=door)
    CallBody.objects.create(
        call_id=row.call_id, stored_at=timezone.now(), asked='{"input":"x"}', sent="{}"
    )
    page = logged_in_client.get(f"/requests/{row.call_id}/").content.decode()
    assert page.count("?replay=") == may


def test_what_makes_vectors_is_not_replayed(logged_in_client, record):
    row = record(door="embeddings")
    CallBody.objects.create(
        call_id=row.call_id, stored_at=timezone.now(), asked='{"input":"x"}', sent="{}"
    )
    page = logged_in_client.get(f"/requests/{row.call_id}/").content.decode()
    assert "Vectors are not kept." in page
    assert "?replay=" not in page
