"""What `deploy/` and the Dockerfile say, held to the schemas of who reads them."""

import re
import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest
import yaml

from runagents import settings
from runagents.serving import server
from tests.e2e.processes import ROOT

KUBERNETES = sorted(ROOT.glob("deploy/kubernetes/*.yaml"))
COMPOSE = [ROOT / "compose.yaml", ROOT / "deploy/compose.scale.yaml"]


def _tool(name: str, *arguments: object) -> None:
    """Run a checker that came with the packages of the tests."""
    done = subprocess.run(
        [Path(sysconfig.get_path("scripts"), name), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_dockerfile_has_nothing_to_complain_of():
    _tool("hadolint", "--failure-threshold", "style", ROOT / "Dockerfile")


@pytest.mark.parametrize("file", COMPOSE, ids=lambda path: path.name)
def test_compose_files_follow_the_schema(file):
    _tool("check-jsonschema", "--builtin-schema", "vendor.compose-spec", file)


@pytest.mark.parametrize("file", KUBERNETES, ids=lambda path: path.name)
def test_manifests_follow_the_schema_of_kubernetes(file):
    if file.name == "kustomization.yaml":
        listed = yaml.safe_load(file.read_text())["resources"]
        others = {each.name for each in KUBERNETES} - {file.name, "secret.example.yaml"}
        assert set(listed) == others
        return
    _tool("kubernetes-validate", "--strict", file)


UNITS = sorted(ROOT.glob("deploy/systemd/*"))


@pytest.mark.parametrize("file", UNITS, ids=lambda path: path.name)
def test_a_unit_is_one_that_systemd_understands(file):
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not installed")
    done = subprocess.run([analyze, "verify", file], capture_output=True, text=True)
    # The command itself is not installed where the suite runs.
    complaints = [
        line for line in done.stderr.splitlines() if "is not executable" not in line
    ]
    assert complaints == []


def test_the_timer_starts_a_unit_that_there_is_with_the_servers_files():
    """Also where systemd is not at hand: both units share a user and a folder."""
    server, backup = (
        (ROOT / f"deploy/systemd/runagents{name}.service").read_text()
        for name in ("", "-backup")
    )
    assert (ROOT / "deploy/systemd/runagents-backup.timer").exists()
    # A dynamic user has the name of its unit, unless `User=` says another.
    assert "User=runagents\n" in backup
    for shared in (
        "DynamicUser=yes",
        "StateDirectory=runagents",
        "/opt/runagents/bin/",
    ):
        assert shared in server
        assert shared in backup


def _unit(name: str) -> str:
    text = (ROOT / "deploy/systemd/runagents.service").read_text()
    return re.search(rf"^{name}=(.*)$", text, re.M)[1]


def _seconds(text: str) -> int:
    return int(text.removesuffix("s"))


def test_whoever_stops_the_server_waits_until_its_streams_have_ended():
    scaled = yaml.safe_load(COMPOSE[1].read_text())["services"]
    gateway = yaml.safe_load((ROOT / "deploy/kubernetes/gateway.yaml").read_text())
    pod = gateway["spec"]["template"]["spec"]
    pause = int(pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"][1])
    single = yaml.safe_load(COMPOSE[0].read_text())["services"]["gateway"]
    for patience in (
        _seconds(single["stop_grace_period"]),
        *(_seconds(scaled[f"gateway-{n}"]["stop_grace_period"]) for n in (1, 2)),
        _seconds(_unit("TimeoutStopSec")),
        pod["terminationGracePeriodSeconds"] - pause,
    ):
        assert patience > server.graceful_timeout > settings.DRAIN_SECONDS


def test_the_proxy_waits_as_long_and_takes_as_much_as_the_gateway():
    text = (ROOT / "deploy/nginx.conf").read_text()
    assert int(re.search(r"proxy_read_timeout (\d+)s", text)[1]) > (
        settings.FIRST_BYTE_TIMEOUT
    )
    assert int(re.search(r"client_max_body_size (\d+)m", text)[1]) << 20 > (
        settings.REQUEST_BODY_LIMIT
    )


def test_images_run_as_nobody_and_write_to_their_volume_alone():
    single = yaml.safe_load(COMPOSE[0].read_text())["services"]["gateway"]
    scaled = yaml.safe_load(COMPOSE[1].read_text())["services"]
    for each in (single, scaled["gateway-1"], scaled["gateway-2"]):
        assert each["read_only"]
        assert each["cap_drop"] == ["ALL"]
    assert re.search(r"^USER 10001:10001$", (ROOT / "Dockerfile").read_text(), re.M)
