"""The dashboard and the alerts ask for metrics that there are."""

import json
import re
import subprocess

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from gateway.metrics import exposition, vitals
from gateway.metrics.counts import TOKENS, Counts
from tests import services
from tests.e2e.processes import ROOT

FOLDER = ROOT / "deploy/prometheus"
ALERTS = [
    rule
    for group in yaml.safe_load((FOLDER / "alerts.yaml").read_text())["groups"]
    for rule in group["rules"]
]
DASHBOARD = json.loads((ROOT / "deploy/grafana/dashboard.json").read_text())
QUERIES = [
    *(rule["expr"] for rule in ALERTS),
    *(target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]),
]


@pytest.fixture(scope="module")
def told():
    """The names of all metrics, each with the labels that it may have."""
    counts = Counts()
    call = {"provider": "p", "model": "m", "caller": "bot", "duration_ms": 1}
    fields = {**call, "first_byte_ms": 1, "outcome": "ok", **dict.fromkeys(TOKENS, 1)}
    counts.note(fields)
    counts.costs["p", "m"] = 1.0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vitals, "statuses", lambda: {"p": "available"})
        worker = vitals.of_worker()
        text, _ = exposition.text("", counts, [worker], [])
    names: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(text.decode()):
        for sample in family.samples:
            names.setdefault(sample.name, set()).update(sample.labels)
    return names


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_asks_for_metrics_and_labels_that_there_are(query, told):
    asked = re.findall(r"(runagents_\w+)(?:\{([^}]*)\})?", query)
    assert asked or query.startswith("up{")
    for name, labels in asked:
        assert name in told
        wanted = set(re.findall(r"(\w+)\s*(?:=~|!~|=|!=)", labels)) - {"instance"}
        assert wanted <= told[name], name


def test_alerts_follow_the_schema_of_prometheus():
    promtool = services.program("promtool")
    done = subprocess.run(
        [promtool, "check", "rules", FOLDER / "alerts.yaml"], capture_output=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_an_alert_says_what_to_do(rule):
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert rule["annotations"]["summary"].endswith(".")
    file, _, anchor = rule["annotations"]["runbook"].partition("#")
    headings = re.findall(r"^#+ (.*)$", (ROOT / file).read_text(), re.M)
    assert anchor in {_anchor(heading) for heading in headings}


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w-]", "", heading.lower().replace(" ", "-"))
