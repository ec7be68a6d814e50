"""How figures read in the console, on pages and in charts."""

from decimal import Decimal

Amount = float | Decimal | None

UNKNOWN = "\N{EM DASH}"


def duration(milliseconds: int | None) -> str:
    """Return milliseconds as people read them: 840 ms, 1.24 s, 3 min 5 s."""
    if milliseconds is None:
        return UNKNOWN
    if milliseconds < 1000:
        return f"{milliseconds} ms"
    if milliseconds < 60_000:
        return f"{milliseconds / 1000:.2f} s"
    minutes, rest = divmod(round(milliseconds / 1000), 60)
    return f"{minutes} min {rest} s"


def wait(seconds: int) -> str:
    """Return how long something still lasts: 40 s, 9 min."""
    return f"{seconds} s" if seconds < 60 else f"{-(-seconds // 60)} min"


def count(number: int | None) -> str:
    """Return a whole number with thousands apart; a dash where it is unknown."""
    return UNKNOWN if number is None else f"{number:,}"


def dollars(amount: Decimal | None) -> str:
    """Return US dollars, small sums with more digits; a dash where it is unknown."""
    if amount is None:
        return UNKNOWN
    if amount and abs(amount) < Decimal("0.01"):
        # Two digits that say something, and never a one followed by an exponent.
        return f"${Decimal(f'{amount:.1e}'):f}"
    return f"${amount:,.2f}"


def short(number: float | None) -> str:
    """Return a large number in three digits: 950, 12.3K, 4.1M."""
    if number is None:
        return UNKNOWN
    value = float(number)
    for unit in ("", "K", "M", "B"):
        if abs(value) < 999.5 or unit == "B":
            return f"{value:.0f}" if not unit else f"{value:.3g}{unit}"
        value /= 1000
    return f"{number:,}"


def change(now: Amount, before: Amount) -> str:
    """Return how `now` compares: +12 %, -3 %, ±0 %; empty where nothing was before."""
    if not before or now is None:
        return ""
    percent = round(100 * (float(now) - float(before)) / float(before))
    if percent == 0:
        return "±0 %"
    sign = "+" if percent > 0 else "\N{MINUS SIGN}"
    return f"{sign}{abs(percent):,} %"
