"""The table of vendors: complete, known everywhere, and the only one to ask."""

import ast
from pathlib import Path

import pytest
from genai_prices.data_snapshot import get_snapshot

from gateway.translators import TRANSLATORS
from providers import endpoints, options, vendors
from providers.forms import presets
from providers.models import NAME_RULE, ModelProvider
from providers.vendors import VENDORS
from providers.vendors.presets import PRESETS, Preset

ROOT = Path(__file__).parents[2]
FIELD = ModelProvider._meta.get_field("provider_type")


def test_every_type_has_a_vendor_and_a_translator_and_may_be_stored():
    assert list(VENDORS) == [name for name, _label in FIELD.flatchoices]
    assert set(VENDORS) == set(TRANSLATORS)
    assert max(map(len, VENDORS)) <= FIELD.max_length


@pytest.mark.parametrize("name", VENDORS)
def test_a_vendor_says_all_that_pages_show(name):
    vendor = VENDORS[name]
    assert all((vendor.label, vendor.note, vendor.example_models))
    assert vendor.endpoint
    assert vendor.chat_path.startswith("/")
    assert vendor.auth_type in ModelProvider.Auth.values
    options.check_header(vendor.header_name, vendor.value_prefix)


@pytest.mark.parametrize("name", VENDORS)
def test_a_vendor_s_logo_is_there(name):
    symbols = (ROOT / "static/vendor/lobehub-icons/logos.svg").read_text()
    assert f'<symbol id="{VENDORS[name].logo}"' in symbols


def test_price_lists_are_known_to_the_library():
    known = {provider.id for provider in get_snapshot().providers}
    assert {vendor.price_list for vendor in VENDORS.values()} - {""} <= known


def test_a_type_that_is_gone_keeps_its_name():
    gone = vendors.of("gone")
    assert (gone.label, gone.logo) == ("gone", "")


def test_a_vendor_is_asked_by_way_of_the_table():
    """Whoever imports one vendor's module knows which one it is."""
    modules = {f"providers.vendors.{name}" for name in VENDORS}
    importing = set()
    for package in ("gateway", "providers", "runagents"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.ImportFrom):
                    names = {f"{node.module}.{alias.name}" for alias in node.names}
                    if (names | {node.module}) & modules:
                        importing.add(str(path.relative_to(ROOT)))
    assert importing == {"providers/vendors/__init__.py"}


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_can_be_started_from(name):
    preset = PRESETS[name]
    NAME_RULE(name)
    assert preset.provider_type in VENDORS
    assert options.clean(dict(preset.options)) == preset.options
    assert presets.of_preset(name)["name"] == name
    assert not preset.link or preset.link.startswith("https://")


@pytest.mark.parametrize("name", PRESETS)
def test_a_template_is_a_card_and_the_chosen_one_is_marked(name, logged_in_client):
    page = logged_in_client.get(f"/models/new/?preset={name}").content.decode()
    assert page.count('class="template-card"') == len(PRESETS)
    marked = page.partition('aria-current="true">')[2].partition("</b>")[0]
    assert str(PRESETS[name].label) in marked


@pytest.mark.parametrize("name", PRESETS)
def test_requests_of_a_template_go_where_its_vendor_documents(name):
    preset = PRESETS[name]
    if preset.endpoint:
        url = endpoints.chat_url(preset.provider_type, preset.endpoint)
        base = preset.endpoint.partition("?")[0].removesuffix("/chat/completions")
        assert url.lower().startswith(base.lower())
        assert url.count("/v1") <= 1


def test_a_preset_differs_from_its_type_only_in_what_it_says():
    azure = presets.of_preset("azure")
    differing = {
        k: v for k, v in azure.items() if presets.initial("openai").get(k) != v
    }
    assert differing == {
        "name": "azure",
        "endpoint": "https://YOUR-RESOURCE.openai.azure.com/openai/v1",
        "header_name": "api-key",
        "value_prefix": "",
    }


def test_a_preset_may_set_options_and_show_models(monkeypatch, logged_in_client):
    row = Preset(
        "Small server",
        "https://llm.example",
        options={"include_usage": False, "extra_headers": {"X-Team": "blue"}},
        models="tiny-1",
        link="https://llm.example/docs",
    )
    monkeypatch.setitem(PRESETS, "small", row)
    page = logged_in_client.get("/models/new/?preset=small").content.decode()
    assert "Small server" in page
    assert 'value="https://llm.example"' in page
    assert 'placeholder="tiny-1"' in page
    assert "X-Team: blue" in page
    assert '<option value="off" selected>' in page
