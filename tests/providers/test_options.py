"""Advanced options are checked one by one, and headers before they are sent."""

import pytest
from cryptography import x509
from django.core.exceptions import ValidationError

from providers import options
from tests.certified import Authority


@pytest.mark.parametrize(
    "name",
    [
        "Host",
        "content-length",
        "Transfer-Encoding",
        "Connection",
        "TE",
        "Trailer",
        "Upgrade",
        "Expect",
        "Cookie",
        "Proxy-Authorization",
        "X-Forwarded-For",
        "X-Forwarded-Anything",
        "Metadata",
        "Metadata-Flavor",
        "X-aws-ec2-metadata-token",
        "Accept-Encoding",
        "Via",
        "",
        "two words",
        "colon:",
        "line\nbreak",
        "\u00fcmlaut",
        "x" * 129,
    ],
)
def test_a_header_that_may_not_be_set_is_refused(name):
    with pytest.raises(options.HeaderError) as caught:
        options.check_header(name, "value")
    assert caught.value.field == "header_name"


@pytest.mark.parametrize(
    "value", ["a\r\nx: y", "a\nb", "nul\0", "\u00fc", "x" * 8193, "\x7f"]
)
def test_a_value_that_may_not_be_sent_is_refused(value):
    with pytest.raises(options.HeaderError) as caught:
        options.check_header("x-key", value)
    assert caught.value.field == "value_prefix"
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ([], "object"),
        ({"nonsense": 1}, "Unknown option `nonsense`"),
        ({"strict_params": "yes"}, "true or false"),
        ({"bedrock_api": "rest"}, "one of auto"),
        ({"timeouts": {"connect": 0}}, "seconds"),
        ({"timeouts": {"connect": True}}, "seconds"),
        ({"timeouts": {"total": 1e308}}, "seconds"),
        ({"timeouts": {"total": float("nan")}}, "seconds"),
        ({"timeouts": {"lunch": 1}}, "may hold"),
        ({"extra_headers": {"Authorization": "x"}}, "credentials"),
        ({"extra_headers": {"Host": "x"}}, "cannot be set"),
        ({"extra_headers": {"x": 1}}, "text"),
        ({"extra_headers": {f"x-{n}": "" for n in range(51)}}, "at most"),
        ({"drop_params": "n"}, "list"),
    ],
)
def test_a_wrong_option_is_named(value, word):
    with pytest.raises(ValidationError, match=word):
        options.clean(value)


def test_all_wrong_options_are_named_at_once():
    with pytest.raises(ValidationError) as caught:
        options.clean({"strict_params": 1, "vision": 2})
    assert len(caught.value.messages) == 2


def test_good_options_come_back_and_empty_ones_go():
    value = {
        "extra_headers": {"X-Team": "blue"},
        "timeouts": {"first_byte": 10, "total": 86400},
        "strict_params": True,
        "vision": None,
    }
    assert options.clean(value) == {
        "extra_headers": {"X-Team": "blue"},
        "timeouts": {"first_byte": 10, "total": 86400},
        "strict_params": True,
    }


def test_options_are_told_by_their_labels_and_in_words():
    authority = Authority("Example CA", days=30)
    told = options.told(
        {
            "timeouts": {"connect": 5.0, "total": 600.0},
            "extra_headers": {"X-Team": "search", "X-Env": "prod"},
            "weight": 0,
            "ca_certificates": authority.pem,
            "include_usage": False,
            "drop_params": ["seed", "logit_bias"],
            "of_a_later_version": "kept",
        }
    )
    made = x509.load_pem_x509_certificate(authority.pem.encode())
    day = made.not_valid_after_utc
    assert told == [
        ("Timeouts", ["Connect: 5 s", "Whole answer: 600 s"]),
        ("Extra headers", ["X-Team: search", "X-Env: prod"]),
        ("Weight", ["0"]),
        ("CA certificates", [f"Example CA until {day:%Y-%m-%d}"]),
        ("Ask for usage in streams", ["Off"]),
        ("Parameters to leave out", ["seed, logit_bias"]),
        ("of_a_later_version", ["kept"]),
    ]


def test_a_certificate_that_cannot_be_read_is_told():
    assert options.told({"client_certificate": "x"}) == [
        ("Client certificate", ["It cannot be read."])
    ]
