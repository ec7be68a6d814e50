"""How times, figures and texts read in the console."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django import forms
from django.contrib.auth.password_validation import (
    password_validators_help_text_html,
)
from django.utils import timezone

from runagents.templatetags import console


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (3, "just now"),
        (42, "42 s ago"),
        (180, "3 min ago"),
        (7200, "2 h ago"),
        (86400, "1 day ago"),
        (200000, "2 days ago"),
    ],
)
def test_a_past_time_reads_like_speech(seconds, words, monkeypatch):
    now = timezone.now()
    monkeypatch.setattr("django.utils.timezone.now", lambda: now)
    shown = console.ago(now - timedelta(seconds=seconds))
    assert shown.endswith(f">{words}</time>")


def test_a_missing_time_says_never():
    assert console.ago(None) == "never"


@pytest.mark.parametrize(
    ("milliseconds", "shown"),
    [(None, "—"), (840, "840 ms"), (1240, "1.24 s"), (185_000, "3 min 5 s")],
)
def test_durations_take_a_fitting_unit(milliseconds, shown):
    assert console.duration(milliseconds) == shown


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        (None, "—"),
        (Decimal(0), "$0.00"),
        (Decimal("0.00171"), "$0.0017"),
        (Decimal("0.000000123"), "$0.00000012"),
        (Decimal("0.00999"), "$0.010"),
        (Decimal("1234.5"), "$1,234.50"),
    ],
)
def test_small_sums_keep_their_digits(amount, shown):
    assert console.dollars(amount) == shown


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (None, "—"),
        (950, "950"),
        (12_345, "12.3K"),
        (999_600, "1M"),
        (4_100_000, "4.1M"),
    ],
)
def test_large_numbers_are_shortened(number, shown):
    assert console.short(number) == shown


def test_backticks_become_code_and_all_is_escaped():
    shown = console.ticks("`<b>` is {not} a <i>name</i>")
    assert shown == "<code>&lt;b&gt;</code> is {not} a &lt;i&gt;name&lt;/i&gt;"


def test_a_lone_backtick_stays():
    assert console.ticks("a ` <b>") == "a ` &lt;b&gt;"


def test_an_address_goes_on_in_the_next_line_behind_a_slash():
    shown = console.foldable("/v1/{a}/<b>")
    assert shown == "/<wbr>v1/<wbr>{a}/<wbr>&lt;b&gt;"


def test_what_is_html_already_is_not_escaped_again():
    assert console.ticks(password_validators_help_text_html()).startswith("<ul><li>")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("None", "None"),
        (True, "true"),
        (60, "60"),
        (["llama3.2", "ä"], '["llama3.2", "ä"]'),
        ({"connect": 5}, '{"connect": 5}'),
    ],
)
def test_a_value_of_the_registry_reads_as_in_its_file(value, shown):
    assert console.written(value) == shown


def test_a_field_names_its_help_and_where_errors_come_later():
    class Form(forms.Form):
        name = forms.CharField(help_text="As others call it.")

    shown = console.described(Form()["name"])
    assert 'aria-describedby="id_name_helptext id_name_error"' in shown
    assert 'aria-describedby="id_name_error"' in console.described(Form()["name"], "")


@pytest.mark.parametrize(
    ("origin", "shown"),
    [
        ("https://api.example.com:8443", "api.example.com:8443"),
        ("region:us-east-1", "region us-east-1"),
        ("host", "host"),
    ],
)
def test_where_a_secret_is_sent_reads_like_speech(origin, shown):
    assert console.origin(origin) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"), [(40, "40 s"), (60, "1 min"), (61, "2 min"), (540, "9 min")]
)
def test_what_still_lasts_is_told_in_whole_minutes(seconds, shown):
    assert console.wait(seconds) == shown
