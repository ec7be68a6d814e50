"""What the vendors' price lists say, as the genai-prices package has them.

Run as a process of its own (apart.py) it answers questions, one a line, until there
are no more.
"""

import json
import os
import sys
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

RATES = (
    "input_mtok",
    "output_mtok",
    "cache_read_mtok",
    "cache_write_mtok",
    "cache_write_1h_mtok",
)

Step = tuple[int, list[str | None]]
"""From how many input tokens on which `RATES` hold, in dollars per million tokens."""


def answer(what: str, *about: str) -> Any:
    """Answer a question: ``vendor`` of an endpoint, ``steps`` of a model's price."""
    return vendor(*about) if what == "vendor" else steps(*about)


def vendor(endpoint: str) -> str | None:
    """Return whose price list holds at an endpoint, or None where nobody knows."""
    try:
        return str(_lists().find_provider(None, None, f"{endpoint}/").id)
    except LookupError:
        return None


def steps(vendor: str, model: str, day: str) -> list[Step] | None:
    """Return the price of a vendor's model at noon of a day.

    Most have one step, some another for long requests: their rates hold for all tokens
    of a call with more than so many in its input. Returns None where the model is not
    listed.
    """
    try:
        _, found = _lists().find_provider_model(model, None, vendor, None)
    except LookupError:
        return None
    noon = datetime.combine(date.fromisoformat(day), time(12), UTC)
    price = found.get_prices(noon)
    listed = [getattr(price, name) for name in RATES]
    starts = {tier.start for each in listed for tier in getattr(each, "tiers", ())}
    return [
        (start, [_rate(each, start) for each in listed])
        for start in [-1, *sorted(starts)]
    ]


def _rate(price: Any, start: int) -> str | None:
    """Return the rate of a call with more than `start` tokens in its input."""
    if price is None or isinstance(price, Decimal):
        return None if price is None else str(price)
    rate = price.base
    for tier in price.tiers:
        if start >= tier.start:
            rate = tier.price
    return str(rate)


def _lists() -> Any:
    """Return every vendor's list; loading them takes a while and 20 MB."""
    from genai_prices.data_snapshot import get_snapshot

    return get_snapshot()


def main() -> None:
    """Answer what is asked, a line of JSON each."""
    for line in sys.stdin:
        sys.stdout.write(json.dumps(answer(*json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    try:
        main()
    except BrokenPipeError:
        # Whoever asked was killed. What is left to be written would say so again.
        os._exit(0)
