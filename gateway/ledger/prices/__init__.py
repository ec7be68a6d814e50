"""What a call cost, in US dollars: list prices, or the administrator's own.

Unknown is unknown: a model without a known price has no cost, never a cost of 0.
List prices come from the genai-prices package, which follows the vendors' pages.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from gateway.ledger.prices.apart import price_lists
from providers import vendors

MILLION = Decimal(1_000_000)
_NOTHING = Decimal(0)


class _Rates(NamedTuple):
    """US dollars per million tokens; None where these are not what is paid for."""

    input: Decimal | None
    output: Decimal | None
    cached: Decimal | None
    cache_write: Decimal | None
    cache_write_1h: Decimal | None


class _Step(NamedTuple):
    """Rates of a call with more than `start` tokens in its input."""

    start: int
    rates: _Rates


class ListPrice(NamedTuple):
    """US dollars per million tokens; None where it is unknown or depends on a call."""

    input: Decimal | None = None
    output: Decimal | None = None
    cached: Decimal | None = None


def listed(provider_type: str, endpoint: str, model: str) -> ListPrice:
    """Return the list price of a model at a provider."""
    vendor = list_of(provider_type, endpoint)
    if vendor is None:
        return ListPrice()
    steps = _steps(vendor, model, datetime.now(UTC).date())
    if len(steps) != 1:
        return ListPrice()
    rates = steps[0].rates
    return ListPrice(rates.input, rates.output, rates.cached)


def cost(call: Mapping[str, Any], own: Mapping[str, Any] | None) -> Decimal | None:
    """Return the cost of a call, or None when tokens or prices are unknown.

    `call` has the ledger's token columns and, of the tokens written to a cache, those
    that stay for an hour (`cache_write_1h_tokens`), which cost more; `upstream_model`,
    and the provider's `provider_type` and `endpoint`. `own` holds the administrator's
    prices per million tokens under ``input``, ``output`` and ``cached_input``; without
    it the model's list price decides.
    """
    if call.get("input_tokens") is None or call.get("output_tokens") is None:
        return None
    if own:
        return _linear(call, _own_rates(own))
    vendor = list_of(call.get("provider_type", ""), call.get("endpoint", ""))
    if vendor is None:
        return None
    today = datetime.now(UTC).date()
    return _stepped(call, _steps(vendor, call["upstream_model"], today))


@lru_cache(maxsize=1024)
def list_of(provider_type: str, endpoint: str) -> str | None:
    """Return whose price list holds at a provider, or None where nobody knows."""
    listed = vendors.of(provider_type).price_list
    found: str | None = listed or price_lists.ask("vendor", endpoint)
    return found


def _stepped(call: Mapping[str, Any], steps: Sequence[_Step]) -> Decimal | None:
    """Return what a call comes to by the last step that it reaches."""
    for step in reversed(steps):
        if call["input_tokens"] > step.start:
            return _linear(call, step.rates)
    return None


def _linear(call: Mapping[str, Any], rates: _Rates | None) -> Decimal | None:
    if rates is None or (rates.input is None and rates.output is None):
        return None
    cached = call.get("cached_tokens") or 0
    written = call.get("cache_write_tokens") or 0
    lasting = min(written, call.get("cache_write_1h_tokens") or 0)
    fresh = max(0, call["input_tokens"] - cached - written)
    price: Decimal = (
        fresh * (rates.input or _NOTHING)
        + cached * (rates.cached or _NOTHING)
        + (written - lasting) * (rates.cache_write or _NOTHING)
        + lasting * (rates.cache_write_1h or _NOTHING)
        + call["output_tokens"] * (rates.output or _NOTHING)
    )
    return price / MILLION


def _own_rates(own: Mapping[str, Any]) -> _Rates | None:
    if own.get("input") is None or own.get("output") is None:
        return None
    cached = own.get("cached_input")
    price = Decimal(str(own["input"]))
    return _Rates(
        price,
        Decimal(str(own["output"])),
        price if cached is None else Decimal(str(cached)),
        price,
        price,
    )


@lru_cache(maxsize=4096)
def _steps(vendor: str, model: str, day: date) -> tuple[_Step, ...]:
    """Return the steps of a model's list price, none where it has none.

    Looking a model up costs far more than applying its price, found or not.
    """
    found = price_lists.ask("steps", vendor, model, day.isoformat()) or []
    return tuple(_Step(start, _rates(*map(_decimal, rates))) for start, rates in found)


def _rates(
    fresh: Decimal | None,
    output: Decimal | None,
    cached: Decimal | None,
    written: Decimal | None,
    lasting: Decimal | None,
) -> _Rates:
    """Return rates; input that has none of its own is input like any other."""
    cached = fresh if cached is None else cached
    written = fresh if written is None else written
    return _Rates(
        fresh, output, cached, written, written if lasting is None else lasting
    )


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
