"""List prices: what the library says, asked in a process of its own."""

import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from genai_prices import Usage, calc_price

from gateway.ledger import prices
from gateway.ledger.prices import apart, lists

CALLS = [
    {"input_tokens": 1000, "output_tokens": 500},
    {"input_tokens": 200_000, "output_tokens": 500, "cached_tokens": 70_000},
    {"input_tokens": 200_001, "output_tokens": 500, "cached_tokens": 70_000},
    {"input_tokens": 900_000, "output_tokens": 1, "cache_write_tokens": 300_000},
]
MODELS = [
    ("openai", "gpt-4o-mini"),
    ("openai", "gpt-5.5"),
    ("openai", "text-embedding-3-small"),
    ("anthropic", "claude-sonnet-4-5"),
    ("google", "gemini-2.5-pro"),
]
ENDPOINTS = {
    "openai": "https://api.openai.com",
    "anthropic": "https://api.anthropic.com",
    "google": "https://generativelanguage.googleapis.com",
}


def _cost(vendor: str, model: str, **counts: int) -> Decimal | None:
    call = {"upstream_model": model, "endpoint": ENDPOINTS[vendor], **counts}
    return prices.cost(call, None)


@pytest.mark.parametrize(("vendor", "model"), MODELS)
@pytest.mark.parametrize("counts", CALLS)
def test_a_call_costs_what_the_library_says(vendor, model, counts):
    renamed = {"cached_tokens": "cache_read_tokens"}
    usage = Usage(**{renamed.get(name, name): n for name, n in counts.items()})
    said = calc_price(usage, model_ref=model, provider_id=vendor).total_price
    assert _cost(vendor, model, **counts) == said > 0


def test_a_model_or_an_endpoint_that_no_list_has_costs_nobody_knows_what():
    assert _cost("openai", "of-nobody", **CALLS[0]) is None
    own = {"upstream_model": "gpt-4o-mini", "endpoint": "http://127.0.0.1:1"}
    assert prices.cost({**own, **CALLS[0]}, None) is None


def test_a_model_that_is_not_paid_by_the_token_has_no_cost():
    """What it is paid by, such as hours of sound, the ledger does not know."""
    today = datetime.now(UTC).date().isoformat()
    assert lists.steps("openai", "whisper-1", today) == [(-1, [None] * 5)]
    assert _cost("openai", "whisper-1", **CALLS[0]) is None


def test_a_price_that_depends_on_the_length_is_not_listed_as_one():
    openai = ENDPOINTS["openai"]
    assert prices.listed("openai", openai, "gpt-5.5") == prices.ListPrice()
    assert prices.listed("openai", openai, "gpt-4o-mini").output == Decimal("0.6")


def test_whoever_prices_holds_no_lists():
    asking = (
        "import sys; from gateway.ledger.prices.apart import price_lists;"
        f"print(price_lists.ask('vendor', '{ENDPOINTS['openai']}'), *sys.modules)"
    )
    printed = subprocess.run(
        [sys.executable, "-c", asking], capture_output=True, text=True, check=True
    ).stdout
    assert printed.startswith("openai ")
    assert "genai_prices" not in printed
    assert "pydantic" not in printed


def test_a_process_that_died_is_replaced_and_loses_no_question(caplog, monkeypatch):
    monkeypatch.setattr(apart, "IDLE_SECONDS", 60.0)
    asked = apart.Apart()
    endpoint = ENDPOINTS["openai"]
    assert asked.ask("vendor", endpoint) == "openai"
    asked._process.kill()
    asked._process.wait()
    assert asked.ask("vendor", endpoint) == "openai"
    assert "Prices are read in this process" in caplog.text
    assert asked.ask("vendor", endpoint) == "openai"
    assert asked._process.poll() is None
    asked._end()


def test_the_process_ends_when_nobody_asks(monkeypatch):
    monkeypatch.setattr(apart, "IDLE_SECONDS", 0.0)
    asked = apart.Apart()
    with asked._lock:
        process = asked._start()
        asked._process = process
    assert process.wait(timeout=30) != 0
    with asked._lock:
        assert asked._process is None
