"""Template tags of the console: icons, logos, times and figures."""

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from django import template
from django.forms import BoundField
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from gateway.console import doors
from gateway.console.charts import HEIGHT, TOP, Block, Chart
from gateway.console.figures import (
    UNKNOWN,
    change,
    count,
    dollars,
    duration,
    short,
    wait,
)
from gateway.console.markdown import markdown
from gateway.console.reports import by_provider
from gateway.ledger.sums import Totals
from providers import vendors
from providers.choices import Offer
from providers.forms import credentials
from providers.forms.entries import ModelsField
from providers.models import Secret

register = template.Library()

for each in (change, count, dollars, duration, markdown, short, wait):
    register.filter(each)
register.filter("door", doors.label)


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """Return an icon of static/icons.svg; without `label` it is decoration only."""
    href = f"{static('icons.svg')}#{name}"
    if label:
        return format_html(
            '<svg class="icon" role="img" aria-label="{}"><use href="{}"/></svg>',
            label,
            href,
        )
    return format_html(
        '<svg class="icon" aria-hidden="true"><use href="{}"/></svg>', href
    )


@register.simple_tag
def logo(provider_type: str) -> SafeString:
    """Return the logo of a provider type, as decoration beside its name."""
    symbol = vendors.of(provider_type).logo
    href = f"{static('vendor/lobehub-icons/logos.svg')}#{symbol}"
    return format_html(
        '<svg class="logo logo-{}" aria-hidden="true"><use href="{}"/></svg>',
        symbol,
        href,
    )


@register.simple_tag
def ago(moment: datetime | None, missing: str = "") -> str:
    """Return a <time> that reads like "3 min ago"; `missing` where there is none."""
    if moment is None:
        return missing or _("never")
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        moment.isoformat(),
        moment.strftime("%Y-%m-%d %H:%M:%S UTC"),
        _words(int((timezone.now() - moment).total_seconds())),
    )


def _words(seconds: int) -> str:
    if seconds < 10:
        return _("just now")
    if seconds < 60:
        return _("%d s ago") % seconds
    if seconds < 3600:
        return _("%d min ago") % (seconds // 60)
    if seconds < 86400:
        return _("%d h ago") % (seconds // 3600)
    days = seconds // 86400
    return ngettext("%d day ago", "%d days ago", days) % days


@register.simple_tag
def moment(value: datetime | None) -> str:
    """Return a <time> to the second: UTC, which app.js turns into local time."""
    if value is None:
        return UNKNOWN
    return format_html(
        '<time datetime="{}" title="{}" data-local>{}</time>',
        value.isoformat(),
        value.strftime("%Y-%m-%d %H:%M:%S UTC"),
        value.strftime("%Y-%m-%d %H:%M:%S"),
    )


@register.simple_tag
def day(value: datetime) -> str:
    """Return a <time> of a day of UTC, which no zone moves."""
    return format_html(
        '<time datetime="{0}" title="{0} UTC">{0}</time>', value.strftime("%Y-%m-%d")
    )


@register.simple_tag
def rects(blocks: list[Block]) -> SafeString:
    """Return the pieces of a chart's bars; here, because a template takes ten times."""
    return format_html_join(
        "",
        '<rect class="series-{}" x="{}" y="{}" width="{}" height="{}">'
        "<title>{}</title></rect>",
        blocks,
    )


@register.simple_tag
def plot(chart: Chart, label: str) -> SafeString:
    """Return a chart as a drawing; each bar tells its figures when pointed at."""
    bottom = TOP + HEIGHT
    grid = format_html_join(
        "",
        '<line x1="0" x2="100%" y1="{0}" y2="{0}"/>',
        ((tick.y,) for tick in chart.ticks),
    )
    blocks = format_html_join(
        "",
        '<rect class="series-{}" x="{}" y="{}" width="{}" height="{}"/>',
        (block[:5] for block in chart.blocks),
    )
    marks = format_html_join(
        "",
        '<text class="{}" x="{}" y="{}">{}</text>',
        (
            ("minor" if mark.is_minor else "major", mark.x, bottom + 20, mark.label)
            for mark in chart.marks
        ),
    )
    hits = format_html_join(
        "",
        '<rect class="hit" x="{}" y="{}" width="{}" height="{}">'
        "<title>{}</title></rect>",
        ((hit.x, TOP, hit.width, HEIGHT, hit.text) for hit in chart.hits),
    )
    return format_html(
        '<svg width="100%" height="{}" role="img" aria-label="{}">{}{}{}{}</svg>',
        bottom + 25,
        label,
        grid,
        blocks,
        marks,
        hits,
    )


@register.simple_tag
def datalist(offer: Offer) -> SafeString:
    """Return the suggestions of the fields that take from an offer, if it is long."""
    if not offer.is_long:
        return SafeString()
    options = ((value,) for value in offer.suggestions)
    return format_html(
        '<datalist id="{}">{}</datalist>',
        offer.uid,
        format_html_join("", '<option value="{}">', options),
    )


@register.simple_tag
def traffic() -> dict[str, Totals]:
    """Return what the last day's calls came to, by provider name."""
    return by_provider()


@register.filter
def get(mapping: Mapping[str, Any], key: str) -> Any:
    """Return the value under `key`, or None."""
    return mapping.get(key)


@register.filter
def outline(secret: Secret) -> str:
    """Return what tells a secret from others without giving it away."""
    return credentials.outline(secret)


@register.filter
def described(field: BoundField, with_help: object = True) -> SafeString:
    """Return a form's field that names its help and the place of its errors.

    The place is named without an error, too: a check of the field alone fills it later.
    """
    names = [f"{field.auto_id}_error"]
    if with_help:
        names.insert(0, f"{field.auto_id}_helptext")
    return field.as_widget(attrs={"aria-describedby": " ".join(names)})


@register.filter
def or_listed(field: BoundField, price: Decimal | None) -> SafeString:
    """Return the field of a price, which shows the list price while it is empty."""
    if price is None:
        return field.as_widget()
    return field.as_widget(attrs={"placeholder": plain(price)})


@register.filter
def plain(price: Decimal | None) -> str:
    """Return a price without zeros that say nothing.

    >>> plain(Decimal("2.500000"))
    '2.5'
    """
    return "" if price is None else f"{price.normalize():f}"


@register.filter
def foldable(address: str) -> SafeString:
    """Return an address or path that may go on in the next line behind a slash."""
    parts = ((part,) for part in address.split("/"))
    return format_html_join(mark_safe("/<wbr>"), "{}", parts)


@register.filter
def written(value: Any) -> str:
    """Return a value of the registry as its file has it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


@register.filter
def origin(told: str) -> str:
    """Return in words where a secret is sent: a host, or a region of AWS."""
    kind, _colon, name = told.partition(":")
    return f"{_('region')} {name}" if kind == "region" else host(told) or told


@register.filter
def host(url: str) -> str:
    """Return the host and port of a URL."""
    return urlsplit(url).netloc


@register.filter
def models_text(value: Any) -> str:
    """Return the models of a form as the text area shows them: one id a line."""
    return str(ModelsField().prepare_value(value) or "")


@register.filter
def ticks(text: object) -> SafeString:
    """Return text escaped, with what stands between backticks as code.

    What is HTML already, as Django's words about passwords are, stays as it is.
    """
    said = str(text)
    if isinstance(said, SafeString):
        return said
    parts = said.split("`")
    if len(parts) % 2 == 0:
        return format_html("{}", said)
    pairs = [("<code>{}</code>" if n % 2 else "{}", p) for n, p in enumerate(parts)]
    return format_html("".join(form for form, _text in pairs), *parts)
