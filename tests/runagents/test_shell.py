"""What holds for every page: log-in, methods, policy, theme, navigation."""

import gzip
import re

import pytest
from django.test import Client
from django.urls import get_resolver, reverse

PAGES = [
    "/",
    "/models/",
    "/models/new/",
    "/models/new/?type=bedrock",
    "/models/openai/",
    "/models/openai/edit/",
    "/models/openai/delete/",
    "/models/list/import/",
    "/models/list/changes/",
    "/requests/",
    "/requests/00000000000000000000000000000001/",
    "/reference/",
    "/password/",
    "/playground/",
    "/usage/",
    "/usage/?range=1h",
    "/settings/api-keys/",
    "/settings/secrets/",
    "/settings/secrets/openai-secret/",
    "/settings/secrets/openai-secret/delete/",
    "/settings/gateway/",
    "/settings/audit-log/",
    "/settings/health/",
]
POST_ONLY = [
    "/theme/",
    "/logout/",
    "/models/starter/",
    "/models/form/fields/",
    "/models/form/field/",
    "/models/form/preview/",
    "/models/form/test/",
    "/models/form/discover/",
    "/models/list/change/",
    "/models/list/check-all/",
    "/models/openai/check/",
    "/models/openai/toggle/",
    "/models/openai/decide/",
    "/models/openai/oauth/start/",
    "/playground/stream/",
    "/settings/api-keys/1/rotate/",
]
OPEN_TO_ALL = {"/login/", "/setup/", "/theme/", "/logout/"}


@pytest.fixture
def rows(provider, record):
    """One provider and one call, so that every page has something to show."""
    provider("openai")
    record()


@pytest.mark.parametrize("url", PAGES)
def test_a_page_opens(logged_in_client, rows, url):
    assert logged_in_client.get(url).status_code == 200


def test_no_page_asks_the_database_often(
    logged_in_client, rows, provider, record, django_assert_max_num_queries
):
    for number in range(30):
        provider(f"p{number}", models=("m1", "m2", "m3"))
        record(status=502, outcome="upstream_error")
    for url in PAGES:
        with django_assert_max_num_queries(15, info=url):
            assert logged_in_client.get(url).status_code == 200


def test_pages_are_small(logged_in_client, rows, provider, record):
    for number in range(60):
        provider(f"p{number}", models=tuple(f"p{number}-m{m}" for m in range(8)))
        record(caller=f"agent-{number}", model=f"p{number}-m1")
    for url in PAGES:
        page = logged_in_client.get(url).content
        assert len(gzip.compress(page, 6)) < 60_000, url


@pytest.mark.parametrize("url", [*PAGES, "/models/openai/row/", *POST_ONLY])
def test_a_page_needs_a_log_in(client, administrator, rows, url):
    if url in OPEN_TO_ALL:
        return
    for answer in (client.get(url), client.post(url)):
        assert answer.status_code == 302
        assert answer.url.startswith("/login/")


@pytest.mark.parametrize("url", POST_ONLY)
def test_a_change_needs_post(logged_in_client, rows, url):
    assert logged_in_client.get(url).status_code == 405


@pytest.mark.proves("11.3")
def test_every_post_of_the_console_needs_the_csrf_token(administrator, rows):
    client = Client(enforce_csrf_checks=True)
    client.force_login(administrator)
    for url in [*POST_ONLY, *PAGES, "/login/"]:
        status = client.post(url).status_code
        # A page that takes no POST at all says so before the token is looked at.
        assert status in (403, 405), url
        assert status == 403 or url not in POST_ONLY, url


def test_every_page_of_the_models_is_listed_here(rows):
    patterns = get_resolver("providers.console.urls").reverse_dict
    names = {name for name in patterns if isinstance(name, str)}
    parts = ["/models/openai/row/", "/models/openai/status/", "/models/list/totals/"]
    # A page of its own for what was ticked, held with the list.
    shown = {
        *PAGES,
        *POST_ONLY,
        *parts,
        "/models/list/removal/",
        "/models/list/export/",
    }
    urls = {
        reverse(name, args=["openai"] * ("%(" in patterns.getlist(name)[0][0][0][0]))
        for name in names
    }
    assert urls - shown - {"/models/oauth/callback/"} == set()


@pytest.mark.parametrize("url", [*PAGES, "/login/"])
def test_pages_hold_no_inline_code(logged_in_client, client, rows, url):
    browser = client if url == "/login/" else logged_in_client
    response = browser.get(url)
    page = response.content.decode()
    assert "default-src 'self'" in response["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in response["Content-Security-Policy"]
    assert not re.search(r"<script(?![^>]*\bsrc=)", page)
    assert not re.search(r"\sstyle=|<style", page)
    assert not re.search(r"\son[a-z]+=", page)
    assert not re.search(r"(src|href)=\"https?://(?!testserver)", page)


@pytest.mark.parametrize("url", PAGES)
def test_ids_are_unique_and_labels_lead_somewhere(logged_in_client, rows, url):
    page = logged_in_client.get(url).content.decode()
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    for target in re.findall(r'<label for="([^"]*)"', page):
        assert target in ids


def test_a_page_starts_with_a_way_past_the_navigation(logged_in_client, db):
    page = logged_in_client.get("/").content.decode()
    assert page.index('href="#main"') < page.index("<header")


def test_the_sidebar_marks_the_current_section(logged_in_client, rows):
    page = logged_in_client.get("/models/openai/").content.decode()
    assert re.search(r'href="/models/" aria-current="page"', page)
    assert page.count('aria-current="page"') == 1


def test_the_header_shows_the_public_gateway_address(logged_in_client, settings, db):
    settings.PUBLIC_URL = "https://gateway.example"
    page = logged_in_client.get("/").content.decode()
    assert "https://gateway.example/v1/chat/completions" in page


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_chosen_theme_is_rendered_by_the_server(logged_in_client, db, theme):
    response = logged_in_client.post("/theme/", {"theme": theme, "next": "/models/"})
    assert response.url == "/models/"
    page = logged_in_client.get("/models/").content.decode()
    assert f'<html lang="en" data-theme="{theme}">' in page


def test_the_system_s_theme_forgets_the_choice(logged_in_client, db):
    logged_in_client.post("/theme/", {"theme": "dark"})
    logged_in_client.post("/theme/", {"theme": "system"})
    assert "data-theme=" not in logged_in_client.get("/").content.decode()[:300]


def test_a_made_up_theme_is_ignored(logged_in_client, db):
    logged_in_client.cookies["theme"] = '"><script>'
    assert "<script>" not in logged_in_client.get("/").content.decode()
