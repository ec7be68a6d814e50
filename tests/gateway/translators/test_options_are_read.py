"""A provider's options: what can be set is read, and what is read can be set.

Translators are given options that write down which of them are asked for, and run
through the golden cases.
"""

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest

from gateway.errors import GatewayError
from gateway.translators import TRANSLATORS
from providers.forms import option_fields
from providers.options import EVERYWHERE, OPTIONS
from providers.vendors import VENDORS
from tests.gateway.translators.test_translators import (
    CASES,
    reply_of,
    route_of,
    stream_of,
)

ROOT = Path(__file__).parents[3]

# Options that are no part of the format, and where they are read.
ELSEWHERE = {
    "extra_headers": "gateway/worker/snapshot.py",
    "aws_identity": "providers/auth/aws_identity.py",
    "aws_role_arn": "providers/auth/aws_identity.py",
    "aws_external_id": "providers/auth/aws_identity.py",
    "weight": "gateway/worker/snapshot.py",
    "timeouts": "gateway/worker/snapshot.py",
    "proxy": "providers/network/ways.py",
    "proxy_resolves": "providers/network/ways.py",
    "ca_certificates": "providers/network/ways.py",
    "client_certificate": "providers/network/ways.py",
    "version_path": "providers/models/provider.py",
    "fetch_images": "gateway/calls/images.py",
    "forward_workspace": "gateway/translators/anthropic/relay/headers.py",
    "mid_system": "gateway/doors/messages/request/profile.py",
    "user_field": "gateway/doors/messages/request/profile.py",
    "cache_marks": "gateway/doors/messages/request/profile.py",
    "responses_api": "gateway/translators/openai/responses/hosts.py",
    "bedrock_betas": "gateway/translators/bedrock/messages/body/betas.py",
}


class Watched(dict[str, Any]):
    """Options that write down the names asked for."""

    def __init__(self, values: dict[str, Any], asked: set[str]) -> None:
        super().__init__(values)
        self._asked = asked

    def get(self, name: str, default: Any = None) -> Any:
        self._asked.add(name)
        return super().get(name, default)

    def __getitem__(self, name: str) -> Any:
        self._asked.add(name)
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        self._asked.add(str(name))
        return super().__contains__(name)


def read(path: Path) -> Any:
    return json.loads(path.read_text())


def run(case: Path, asked: set[str]) -> None:
    """Do with a case what can be done with its files, whatever comes of it."""
    translator = TRANSLATORS[case.parent.name]
    route, _ = route_of(case)
    options = Watched(dict(route.options), asked)
    route = route._replace(options=options)
    reply = reply_of(case)._replace(options=options)
    if (case / "request.json").exists():
        reply = translator.render_request(read(case / "request.json"), route).reply
    if (case / "upstream_response.json").exists():
        payload = read(case / "upstream_response.json")
        translator.parse_response(payload, {}, reply)
    if list(case.glob("upstream_stream.*")) or (case / "upstream_events.json").exists():
        translator.stream_parser(reply).feed(stream_of(case))


@pytest.fixture(scope="module")
def asked() -> dict[str, set[str]]:
    """The options that each type's translator asks for."""
    found: dict[str, set[str]] = {name: set() for name in TRANSLATORS}
    for case in sorted(CASES.glob("*/*/")):
        with contextlib.suppress(GatewayError):
            run(case, found[case.parent.name])
    return found


@pytest.mark.parametrize("type", sorted(TRANSLATORS))
def test_what_a_translator_reads_is_what_its_form_asks_for(asked, type):
    understood = set(VENDORS[type].options)
    assert asked[type] == understood - set(ELSEWHERE)


def test_every_option_is_read_somewhere(asked):
    assert set.union(*asked.values()) | set(ELSEWHERE) == set(OPTIONS)
    for name, path in ELSEWHERE.items():
        assert f'options.get("{name}"' in (ROOT / path).read_text()


def test_what_holds_everywhere_is_read_by_no_translator():
    assert set(EVERYWHERE) <= set(ELSEWHERE)


def test_every_option_has_a_field_in_the_form():
    without = {"timeouts"}  # asked for by a field for each
    assert set(option_fields.OPTION_FIELDS.values()) | without == set(OPTIONS)
    assert set(option_fields.form_fields()) == set(option_fields.NAMES)


def test_each_type_s_form_asks_for_what_its_vendor_understands():
    for vendor in VENDORS.values():
        assert set(vendor.options) <= set(OPTIONS) - set(EVERYWHERE)
        shown = {f"option_{name}" for name in vendor.options}
        assert set(option_fields.names(vendor.options)) == shown | {
            "option_extra_headers",
            "option_weight",
        }


def test_every_option_is_explained_for_its_types():
    text = (ROOT / "docs/translation.md").read_text()
    lines = text.partition("## Options of a provider")[2].partition("\n## ")[0]
    told = {}
    for line in filter(lambda line: line.startswith("| `"), lines.splitlines()):
        options, types = (cell.strip() for cell in line.split("|")[1:3])
        for name in options.replace("`", "").split(", "):
            told[name] = types
    assert set(told) == set(OPTIONS)
    for name in OPTIONS:
        types = [
            vendor.label.removeprefix("AWS ")
            for vendor in VENDORS.values()
            if name in (*EVERYWHERE, *vendor.options)
        ]
        wanted = "all" if len(types) == len(VENDORS) else ", ".join(types)
        assert told[name] == wanted, name
