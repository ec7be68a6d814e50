"""The Requests pages: a list that pages by position, and one call in full."""

import asyncio
import csv
import io
import json
import re
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.http import QueryDict
from django.utils import timezone

from gateway.console.requests.files import ROWS_AT_ONCE
from gateway.console.requests.forms import FilterForm
from gateway.ledger import summaries
from gateway.models import CallBody, UsageRecord


def ids(response):
    """Return the request numbers a list shows, in order."""
    return [
        int(found, 16)
        for found in re.findall(r"/requests/([0-9a-f]{32})/", response.content.decode())
    ]


def follow(client, response, relation):
    """Follow the link to the older or newer page."""
    page = response.content.decode()
    link = re.search(rf'href="([^"]+)" rel="{relation}"', page)
    return client.get("/requests/" + link[1].replace("&amp;", "&")) if link else None


def test_an_empty_ledger_says_how_to_fill_it(logged_in_client, db):
    assert "No requests yet." in logged_in_client.get("/requests/").content.decode()


def test_calls_are_listed_newest_first(logged_in_client, record):
    record(minutes_ago=5)
    record(minutes_ago=1)
    assert ids(logged_in_client.get("/requests/")) == [2, 1]


def test_pages_cover_everything_once_both_ways(logged_in_client, record):
    moment = timezone.now()
    for _ in range(120):
        # Equal times: only the pair of time and number tells rows apart.
        record(started_at=moment)
    pages = [logged_in_client.get("/requests/")]
    while (older := follow(logged_in_client, pages[-1], "next")) is not None:
        pages.append(older)
    shown = [number for page in pages for number in ids(page)]
    assert shown == list(range(120, 0, -1))
    newer = follow(logged_in_client, pages[-1], "prev")
    assert ids(newer) == ids(pages[1])
    assert ids(follow(logged_in_client, newer, "prev")) == ids(pages[0])


def test_the_first_page_has_no_newer_one(logged_in_client, record):
    record()
    page = logged_in_client.get("/requests/").content.decode()
    assert 'rel="prev"' not in page
    assert 'rel="next"' not in page


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("provider=claude", [2]),
        ("model=o3", [3]),
        ("caller=local", [4]),
        ("outcome=failed", [8, 5]),
        ("outcome=client_closed", [6]),
        ("status=5xx", [5]),
        ("status=4xx", [8]),
        ("span=15m", [9, 8, 7, 6, 5, 4, 3, 2, 1]),
        ("provider=openai&model=o3", [3]),
        ("provider=nobody", []),
        ("run=r-1", [7]),
        ("user=u-1", [7]),
        ("text=req_7", [7]),
        (f"text={7:032x}", [7]),
        ("text=too_hot", [8]),
        ("text=OVEN", [8]),
        ("outcome=refused", [8]),
        ("door=messages", [9]),
        ("door=chat&run=r-1", [7]),
        ("door=no-door", [9, 8, 7, 6, 5, 4, 3, 2, 1]),
        ("session=s-1", [9]),
        ("subagent=a-1", [9]),
        ("purpose=title", [9]),
    ],
)
def test_the_list_is_narrowed(logged_in_client, record, query, expected):
    record()
    record(provider="claude")
    record(model="o3")
    record(caller="local")
    record(status=502, outcome="upstream_error")
    record(outcome="client_closed")
    record(run_id="r-1", end_user_id="u-1", request_id="req_7")
    record(
        status=404,
        outcome="refused",
        provider="",
        caller="",
        error_code="too_hot",
        error_message="The oven is too hot.",
    )
    record(door="messages", session_id="s-1", agent_id="a-1", request_class="title")
    assert ids(logged_in_client.get(f"/requests/?{query}")) == expected


def test_filters_stay_on_further_pages(logged_in_client, record):
    for number in range(110):
        record(minutes_ago=number, provider=("openai", "claude")[number % 2])
    first = logged_in_client.get("/requests/?provider=claude")
    second = follow(logged_in_client, first, "next")
    assert len(ids(second)) == 5


@pytest.mark.parametrize(
    "query", ["before=nonsense", "after=%00", "before=AAAA", "outcome=made-up"]
)
def test_a_made_up_position_or_filter_shows_the_start(logged_in_client, record, query):
    record()
    assert ids(logged_in_client.get(f"/requests/?{query}")) == [1]


def test_the_list_needs_a_fixed_number_of_queries(
    logged_in_client, record, django_assert_num_queries
):
    for _ in range(60):
        record()
    # session, user, the page's rows
    with django_assert_num_queries(3):
        logged_in_client.get("/requests/")


def test_old_calls_are_outside_a_span(logged_in_client, record):
    record(minutes_ago=120)
    record(minutes_ago=2)
    assert ids(logged_in_client.get("/requests/?span=1h")) == [2]


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("outcome=interrupted", "usage_ended"),
        ("outcome=ok", "usage_newest"),
        ("run=r-1", "usage_run"),
        ("user=u-1", "usage_user"),
        ("outcome=failed", "usage_failed"),
        ("status=5xx", "usage_failed"),
        ("door=messages", "usage_door"),
        ("session=s-1", "usage_session"),
        ("subagent=a-1", "usage_agent"),
        ("purpose=title", "usage_purpose"),
    ],
)
def test_calls_are_found_by_an_index(db, query, index):
    if connection.vendor != "sqlite":
        pytest.skip("Other databases choose by what is stored.")
    form = FilterForm(QueryDict(query))
    rows = form.narrow(UsageRecord.objects.all()).order_by("-started_at", "-pk")
    plan = rows.explain()
    assert index in plan
    assert "TEMP B-TREE" not in plan


def test_paging_reads_an_index_and_sorts_nothing(db, record):
    record()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # So few rows are read as they lie, if that is not ruled out.
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_bitmapscan = off")
            # And sorted, which costs one row nothing, where an index can spare it.
            cursor.execute("SET LOCAL enable_sort = off")
    rows = UsageRecord.objects.filter(started_at__lte=timezone.now())
    plan = rows.order_by("-started_at", "-pk").explain()
    assert "usage_newest" in plan or "Index" in plan
    assert "TEMP B-TREE" not in plan
    assert "Sort" not in plan


def test_a_live_list_refreshes_itself(logged_in_client, record):
    record()
    assert b"every 2s" not in logged_in_client.get("/requests/").content
    page = logged_in_client.get("/requests/?provider=openai&live=1").content.decode()
    assert (
        'hx-get="/requests/?provider=openai&amp;live=1" hx-trigger="every 2s"' in page
    )


def test_a_call_that_was_sent_again_says_so(logged_in_client, record):
    row = record(sent_again=True)
    page = logged_in_client.get(f"/requests/{row.call_id}/").content.decode()
    assert "Sent again" in page


def test_one_call_is_shown_in_full(logged_in_client, record):
    row = record(
        status=502,
        outcome="upstream_error",
        upstream_status=401,
        error_code="provider_auth_failed",
        error_message="The provider <rejected> the credentials.",
        dropped=["logit_bias"],
        upstream_request_id="up-1",
        first_byte_ms=458,
    )
    page = logged_in_client.get(f"/requests/{row.call_id}/").content.decode()
    assert "The provider &lt;rejected&gt; the credentials." in page
    assert "The provider answered 401" in page
    assert "logit_bias" in page
    assert "up-1" in page
    assert "1.24 s" in page


def course(page: str) -> list[str]:
    """What the page says of each stage, in plain words."""
    listed = page.partition('<ol class="timeline timed">')[2].partition("</ol>")[0]
    stages = re.findall(r"<li[^>]*>(.*?)</li>", listed, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", " ", stage).split()) for stage in stages]


def test_a_call_tells_its_five_stages(logged_in_client, record):
    row = record(routed_ms=1, upstream_ms=4, first_byte_ms=458, finish_reason="stop")
    page = logged_in_client.get(f"/requests/{row.call_id}/").content.decode()
    received, *others = course(page)
    assert received.startswith("Received 20")
    assert others == [
        "Routed to openai as gpt-4o-mini +1 ms took 1 ms",
        "Sent to the provider +4 ms took 3 ms",
        "First byte +458 ms took 454 ms",
        "Done: OK (stop) +1.24 s took 782 ms",
    ]
    bar = page.partition('<svg class="course"')[2].partition("</svg>")[0]
    assert bar.count("<rect") == 4
    assert 'aria-hidden="true"' in bar


def test_an_older_call_tells_the_stages_it_has(logged_in_client, record):
    row = record(outcome="upstream_error", status=502)
    page = logged_in_client.get(f"/requests/{row.call_id}/").content.decode()
    assert course(page)[1:] == [
        "Routed to openai as gpt-4o-mini not recorded",
        "Sent to the provider not recorded",
        "No first byte came",
        "Done: Upstream error +1.24 s took 1.24 s",
    ]


def test_a_cause_is_told_in_words(logged_in_client, record):
    row = record(status=502, outcome="upstream_error", error_code="upstream_auth_error")
    page = logged_in_client.get(f"/requests/{row.call_id}/").content.decode()
    assert "refused its credentials" in page


def test_kept_bodies_stand_side_by_side(logged_in_client, record):
    row = record()
    url = f"/requests/{row.call_id}/"
    assert b"of this call are not kept" in logged_in_client.get(url).content
    CallBody.objects.create(
        call_id=row.call_id,
        stored_at=timezone.now(),
        asked='{"model":"<m>"}',
        sent='{"cut": [',
        sent_path="/v1/messages",
    )
    page = logged_in_client.get(url).content.decode()
    assert "{\n  &quot;model&quot;: &quot;&lt;m&gt;&quot;\n}" in page
    assert "{&quot;cut&quot;: [" in page
    assert "POST /v1/messages" in page


def test_a_call_just_made_is_waited_for(logged_in_client, db):
    response = logged_in_client.get("/requests/abc/?new=1")
    assert response.status_code == 202
    assert b'http-equiv="refresh"' in response.content


def test_the_first_call_appears_by_itself(logged_in_client, db):
    page = logged_in_client.get("/requests/").content
    assert b'hx-trigger="every 2s"' in page
    assert b"curl" in page


def test_an_unknown_call_is_a_404(logged_in_client, db):
    assert logged_in_client.get("/requests/nothing/").status_code == 404


@pytest.mark.parametrize("way", ["before", "after"])
@pytest.mark.parametrize(
    "moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"]
)
def test_a_position_outside_of_time_is_none(logged_in_client, record, way, moment):
    record()
    position = urlsafe_b64encode(f"{moment} 1".encode()).decode()
    assert ids(logged_in_client.get("/requests/", {way: position})) == [1]


def test_a_refused_call_says_why_and_names_no_provider(logged_in_client, record):
    row = record(
        status=401,
        outcome="refused",
        provider="",
        model="",
        caller="",
        error_code="invalid_api_key",
        error_message="No valid API key.",
        calls=12,
    )
    shown = logged_in_client.get(f"/requests/{row.call_id}/").content.decode()
    assert "sends a key of this console" in shown
    assert "12 more calls were refused alike" in shown
    assert "/models//" not in shown
    assert "Sent to the provider" not in shown
    listed = logged_in_client.get("/requests/").content.decode()
    assert "invalid_api_key" in listed
    assert "12 calls" in listed


def whole(response) -> str:
    """Return a streamed response's text."""

    async def read() -> bytes:
        return b"".join([part async for part in response.streaming_content])

    return asyncio.run(read()).decode()


@pytest.mark.django_db(transaction=True)
def test_the_list_is_taken_out_as_json(logged_in_client, record):
    for number in range(ROWS_AT_ONCE + 3):
        record(model=f"m-{number}", cost="0.5")
    record(model="other", provider="claude")
    response = logged_in_client.get("/requests/requests.json?provider=openai")
    found = json.loads(whole(response))
    assert [each["model"] for each in found][:2] == [
        f"m-{ROWS_AT_ONCE + 2}",
        f"m-{ROWS_AT_ONCE + 1}",
    ]
    assert len(found) == ROWS_AT_ONCE + 3
    assert Decimal(found[0]["cost"]) == Decimal("0.5")
    assert "key_hint" not in found[0]


@pytest.mark.django_db(transaction=True)
def test_a_file_tells_the_door_and_what_only_it_knows(logged_in_client, record):
    record(door="embeddings", session_id="s-1", details={"inputs": 2}, dropped=["seed"])
    text = whole(logged_in_client.get("/requests/requests.csv?door=embeddings"))
    (line,) = csv.DictReader(io.StringIO(text))
    assert (line["door"], line["session_id"]) == ("embeddings", "s-1")
    assert json.loads(line["details"]) == {"inputs": 2}
    assert json.loads(line["dropped"]) == ["seed"]


@pytest.mark.django_db(transaction=True)
def test_the_list_is_taken_out_as_csv_that_holds_no_formula(logged_in_client, record):
    record(model="=cmd()", error_message="a,b")
    text = whole(logged_in_client.get("/requests/requests.csv"))
    (line,) = csv.DictReader(io.StringIO(text))
    assert line["model"] == "'=cmd()"
    assert line["error_message"] == "a,b"


def test_other_kinds_of_files_are_unknown(logged_in_client, db):
    assert logged_in_client.get("/requests/requests.xml").status_code == 404


def test_requests_are_narrowed_to_days_and_a_key(logged_in_client, record):
    days = [datetime(2026, 3, n, 23, 30, tzinfo=UTC) for n in (1, 2, 3)]
    first, second, third = (record(started_at=day, key_hint="ra_…1") for day in days)
    other = record(started_at=days[1], key_hint="ra_…2")

    def found(query):
        return set(logged_in_client.get(f"/requests/?{query}").context["records"])

    assert found("since=2026-03-02") == {second, third, other}
    assert found("until=2026-03-02") == {first, second, other}
    assert found("since=2026-03-02&until=2026-03-02&key=ra_…1") == {second}
    assert found("since=2026-03-02&until=2026-03-01") == set()
    assert found("until=9999-12-31") == {first, second, third, other}
    # What is no day does not count.
    assert found("since=yesterday") == {first, second, third, other}


def test_links_of_usage_are_understood(logged_in_client, record):
    row = record(key_hint="ra_…1")
    record(key_hint="ra_…2")
    summaries.refresh(summaries.unfinished())
    today = datetime.now(UTC).date()
    usage = f"/usage/?by=key&since={today - timedelta(days=1)}"
    page = logged_in_client.get(usage).content.decode()
    links = re.findall(r'href="(/requests/[^"]*key=[^"]*1)"', page)
    response = logged_in_client.get(links[0].replace("&amp;", "&"))
    assert list(response.context["records"]) == [row]


def test_a_call_tells_of_its_door_and_conversation(logged_in_client, record):
    row = record(
        door="embeddings",
        client="codex_cli_rs",
        session_id="s 1",
        agent_id="a-1",
        request_class="title",
        run_id="r-1",
        details={"inputs": 40, "upstream_calls": 3, "dimensions": 256, "new_fact": "x"},
    )
    page = logged_in_client.get(f"/requests/{row.call_id}/").content.decode()
    found = re.findall(r"<dt>([^<]+)</dt>\s*<dd>\s*(?:<[^>]+>)?([^<]+)", page)
    facts = {name: value.strip() for name, value in found}
    told = {
        "Door": "Embeddings",
        "Client": "codex_cli_rs",
        "Session": "s 1",
        "Subagent": "a-1",
        "Purpose": "title",
        "Inputs": "40",
        "Calls of the provider": "3",
        "Dimensions": "256",
        "new fact": "x",
    }
    assert told.items() <= facts.items()
    for query in ("session=s%201", "subagent=a-1", "purpose=title", "run=r-1"):
        assert f"/requests/?{query}" in page


def test_a_call_of_the_first_door_tells_no_more_than_it_knows(logged_in_client, record):
    page = logged_in_client.get(f"/requests/{record().call_id}/").content.decode()
    assert "<dt>Door</dt>" in page
    for name in ("Client", "Session", "Purpose", "Inputs"):
        assert f"<dt>{name}</dt>" not in page


def test_a_session_tells_what_it_came_to(logged_in_client, record):
    for cost in ("0.25", "0.5", None):
        record(session_id="s-1", run_id="r-1", cost=cost)
    record(session_id="s-1", status=502, outcome="upstream_error", cost=None)
    record(session_id="s-1", status=429, outcome="refused", cost=None)
    record(session_id="s-2", cost="100")
    response = logged_in_client.get("/requests/?session=s-1")
    totals = response.context["totals"]
    assert (totals.requests, totals.failed) == (4, 1)
    assert (totals.input_tokens, totals.output_tokens) == (40, 20)
    assert totals.cost == Decimal("0.75")
    assert "$0.75" in response.content.decode()
    by_run = logged_in_client.get("/requests/?run=r-1").context["totals"]
    assert by_run.requests == 3
    # What has no bound of its own is not added up for the page.
    assert "totals" not in logged_in_client.get("/requests/?caller=x").context


def test_what_a_session_came_to_is_read_to_an_end(
    logged_in_client, record, monkeypatch
):
    monkeypatch.setattr("gateway.console.requests.views.MOST_ADDED_UP", 2)
    for _ in range(3):
        record(session_id="s-1")
    response = logged_in_client.get("/requests/?session=s-1")
    assert response.context["totals"].requests == 2
    assert "The newest 2 calls" in response.content.decode()


def test_the_list_names_the_door_where_it_is_not_the_usual(logged_in_client, record):
    record()
    record(door="messages")
    page = logged_in_client.get("/requests/").content.decode()
    assert re.findall(r">(Chat|Messages)</span>", page) == ["Messages"]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"cost": "0.02"}, "estimated from list prices"),
        ({"cost": None, "output_tokens": 7}, "no price is known"),
    ],
)
def test_a_cost_says_where_it_comes_from_and_none_why(
    logged_in_client, record, values, told
):
    row = record(**values)
    page = logged_in_client.get(f"/requests/{row.call_id}/").content.decode()
    assert told in page
    assert page.count("estimated from") == (told != "no price is known")


def test_the_cost_of_what_was_not_answered_says_nothing(logged_in_client, record):
    row = record(
        status=502, outcome="upstream_error", input_tokens=None, output_tokens=None
    )
    page = logged_in_client.get(f"/requests/{row.call_id}/").content.decode()
    assert "price" not in page


def test_what_an_error_quotes_is_shown_as_code(logged_in_client, record):
    told = "Send a key as `Authorization: Bearer <key>`."
    row = record(status=401, outcome="refused", error_message=told)
    page = logged_in_client.get(f"/requests/{row.call_id}/").content.decode()
    assert "<code>Authorization: Bearer &lt;key&gt;</code>" in page
