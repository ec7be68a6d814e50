"""What a call cost, in US dollars: list prices, or the administrator's own.

Unknown is unknown: a model without a known price has no cost, never a cost of 0.
List prices come from the genai-prices package, which follows the vendors' pages.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from providers import vendors

MILLION = Decimal(1_000_000)


class _Rates(NamedTuple):
    """US dollars per million tokens, the same however many there are."""

    input: Decimal
    output: Decimal
    cached: Decimal
    cache_write: Decimal
    cache_write_1h: Decimal


class ListPrice(NamedTuple):
    """US dollars per million tokens; None where it is unknown or depends on a call."""

    input: Decimal | None = None
    output: Decimal | None = None
    cached: Decimal | None = None


def listed(provider_type: str, endpoint: str, model: str) -> ListPrice:
    """Return the list price of a model at a provider."""
    vendor = vendors.of(provider_type).price_list or _vendor(endpoint)
    if vendor is None:
        return ListPrice()
    _known, rates = _list_rates(vendor, model, datetime.now(UTC).date())
    if rates is None:
        return ListPrice()
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
    listed = vendors.of(call.get("provider_type", "")).price_list
    vendor = listed or _vendor(call.get("endpoint", ""))
    if vendor is None:
        return None
    today = datetime.now(UTC).date()
    known, rates = _list_rates(vendor, call["upstream_model"], today)
    if known and rates is None:
        return _by_the_library(call, vendor)
    return _linear(call, rates)


def _price_lists() -> Any:
    """Return every vendor's list.

    Loaded when a call is first priced: with pydantic, which they bring, they take a
    tenth of a second and 10 MB, and one worker of a host prices.
    """
    from genai_prices.data_snapshot import get_snapshot

    return get_snapshot()


@lru_cache(maxsize=1024)
def _vendor(endpoint: str) -> str | None:
    """Return whose price list holds at an endpoint, or None where nobody knows."""
    try:
        return str(_price_lists().find_provider(None, None, f"{endpoint}/").id)
    except LookupError:
        return None


def _linear(call: Mapping[str, Any], rates: _Rates | None) -> Decimal | None:
    if rates is None:
        return None
    cached = call.get("cached_tokens") or 0
    written = call.get("cache_write_tokens") or 0
    lasting = min(written, call.get("cache_write_1h_tokens") or 0)
    fresh = max(0, call["input_tokens"] - cached - written)
    price: Decimal = (
        fresh * rates.input
        + cached * rates.cached
        + (written - lasting) * rates.cache_write
        + lasting * rates.cache_write_1h
        + call["output_tokens"] * rates.output
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
def _list_rates(vendor: str, model: str, day: date) -> tuple[bool, _Rates | None]:
    """Return whether the model has a list price, and its rates if they are plain.

    Looking a model up costs far more than applying its price, found or not.
    """
    try:
        _, found = _price_lists().find_provider_model(model, None, vendor, None)
    except LookupError:
        return False, None
    price = found.get_prices(datetime.combine(day, time(12), UTC))
    input_price, output_price = price.input_mtok, price.output_mtok
    cached = price.cache_read_mtok
    written = price.cache_write_mtok
    cached = input_price if cached is None else cached
    written = input_price if written is None else written
    lasting = getattr(price, "cache_write_1h_mtok", None)
    lasting = written if lasting is None else lasting
    plain = [
        rate
        for rate in (input_price, output_price, cached, written, lasting)
        if isinstance(rate, Decimal)
    ]
    return True, _Rates(*plain) if len(plain) == 5 else None


def _by_the_library(call: Mapping[str, Any], vendor: str) -> Decimal | None:
    """Return the cost of a call to a model whose price depends on its length."""
    counts = {
        "input_tokens": call["input_tokens"],
        "output_tokens": call["output_tokens"],
        "cache_read_tokens": call.get("cached_tokens") or 0,
        "cache_write_tokens": call.get("cache_write_tokens") or 0,
    }
    if lasting := call.get("cache_write_1h_tokens"):
        lasting = min(lasting, counts["cache_write_tokens"])
        counts["cache_write_1h_tokens"] = lasting
    from genai_prices import Usage, calc_price  # see _price_lists

    usage = Usage(**counts)
    try:
        found = calc_price(usage, model_ref=call["upstream_model"], provider_id=vendor)
    except (LookupError, ValueError):
        return None
    return Decimal(found.total_price)
