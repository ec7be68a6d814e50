"""Imports point one way only, and vendors stay where they belong.

`runagents -> gateway -> providers`; translators and wire formats know no Django, no
HTTP client, no clock and no settings. ARCHITECTURE.md draws the same arrows.
"""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("runagents", "gateway", "providers")

# Package -> the packages of ours it may import, longest name first.
ALLOWED = {
    "gateway.wire": {"gateway.wire"},
    "gateway.translators": {"gateway.translators", "gateway.wire", "gateway.errors"},
    "gateway.errors": {"gateway.wire"},
    "gateway.ledger": {
        "gateway.ledger",
        "gateway.identifiers",
        "gateway.models",
        "gateway.wire",
    },
    "gateway.limits": {
        "gateway.limits",
        "gateway.call_settings",
        "gateway.errors",
        "gateway.registry",
    },
    "gateway.sandbox": {
        "gateway.sandbox",
        "gateway.errors",
        "gateway.responses",
        "gateway.translators",
        "gateway.wire",
        "providers.starter",
    },
    "gateway": {"gateway", "providers"},
    "providers.auth": {
        "providers.auth",
        "providers.database",
        "providers.models",
        "providers.options",
        "providers.sealing",
        "providers.transport",
    },
    "providers.forms": {
        "providers.forms",
        "providers.choices",
        "providers.endpoints",
        "providers.models",
        "providers.options",
        "providers.sealing",
    },
    "providers.status": {
        "providers.status",
        "providers.auth",
        "providers.database",
        "providers.endpoints",
        "providers.models",
        "providers.starter",
        "providers.transport",
    },
    "providers.transport": {"providers.transport", "providers.addresses"},
    "providers": {"providers"},
    "runagents": {"runagents", "gateway", "providers"},
}
# Package or module -> who else may import from it. Only the routes know that the
# sandbox is in this process; no agent's call depends on the console's pages or forms.
CLOSED: dict[str, set[str]] = {
    "gateway.console": {"runagents"},
    "gateway.sandbox": {"gateway.urls"},
    "providers.api": {"providers.admin", "providers.management", "runagents.agents"},
    "providers.console": set(),
    "providers.forms": {"providers", "runagents"},
    "providers.transport.exchange": {"providers.transport"},
    "providers.transport.guard": {"providers.transport"},
}
# What the sans-IO packages may use besides the standard library.
LIBRARIES = {
    "gateway.wire": {"msgspec", "botocore"},
    "gateway.translators": set(),
}
# Standard library modules that a pure function has no use for.
IMPURE = {"asyncio", "logging", "os", "random", "secrets", "socket", "time"}


def _modules() -> list[tuple[str, Path]]:
    found = []
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if "migrations" not in path.parts:
                name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
                found.append((name.removesuffix(".__init__"), path))
    return found


def _imports(name: str, path: Path) -> set[str]:
    """Return the absolute names of everything a module imports, at any depth."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name} imports relatively"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def _is_within(name: str, packages: set[str]) -> bool:
    return any(f"{name}.".startswith(f"{package}.") for package in packages)


def _rule(name: str) -> str:
    return max((r for r in ALLOWED if f"{name}.".startswith(f"{r}.")), key=len)


@pytest.mark.parametrize(("name", "path"), _modules(), ids=lambda value: str(value))
def test_imports_follow_the_arrows(name, path):
    rule = _rule(name)
    for imported in _imports(name, path):
        top = imported.partition(".")[0]
        if top in PACKAGES:
            assert _is_within(imported, ALLOWED[rule]), f"{name} imports {imported}"
        elif rule in LIBRARIES:
            assert top in LIBRARIES[rule] or top in sys.stdlib_module_names, (
                f"{name} imports {imported}, which is not for {rule}"
            )
            assert top not in IMPURE, f"{name} imports {imported} and must stay pure"


@pytest.mark.parametrize("closed", CLOSED)
def test_closed_packages_are_entered_by_few(closed):
    assert closed in dict(_modules())
    entering = {
        name
        for name, path in _modules()
        if not _is_within(name, {closed})
        and any(_is_within(imported, {closed}) for imported in _imports(name, path))
    }
    assert {name for name in entering if not _is_within(name, CLOSED[closed])} == set()


def _uses(path: Path, names: set[str]) -> bool:
    """Tell whether code (not text) of a module mentions one of the dotted names."""
    return any(
        ast.unparse(node) in names
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute | ast.Name)
    )


def test_only_the_settings_read_the_environment():
    readers = {
        name for name, path in _modules() if _uses(path, {"os.environ", "os.getenv"})
    }
    assert readers <= {
        "runagents.settings",
        # Names the settings module, as every Django project does.
        "runagents.asgi",
        # Hands the address to the server it becomes.
        "runagents.management.commands.serve",
        # Reads the variables that a registry file refers to.
        "providers.management.commands.providers",
        # Is an agent, a program of its own.
        "runagents.agents.hello_world",
    }


def test_every_provider_type_has_a_translator():
    from gateway.translators import TRANSLATORS
    from providers.models import ModelProvider

    assert set(TRANSLATORS) == set(ModelProvider.Type.values)


def test_only_the_transport_connects_outwards():
    """One guarded way out: no other module makes an HTTP client of its own."""
    clients = {
        "aiohttp.ClientSession",
        "aiohttp.TCPConnector",
        "asyncio.open_connection",
        "http.client",
        "httpx.AsyncClient",
        "httpx.Client",
        "httpx.get",
        "httpx.post",
        "httpx.request",
        "httpx.stream",
        "socket.create_connection",
        "urllib.request.urlopen",
    }
    makers = {name for name, path in _modules() if _uses(path, clients)}
    # The Hello World agent is a program of its own, outside this server.
    assert makers <= {"providers.transport", "runagents.agents.hello_world"}


def test_threads_look_after_their_connections():
    """A thread of a chore keeps its database connection, broken or not."""
    users = {name for name, path in _modules() if _uses(path, {"sync_to_async"})}
    assert {name for name in users if not name.startswith("runagents.")} <= {
        "providers.database",
        # Open what was read before: no query.
        "providers.status",
        "providers.status.trial",
        # Looks after its own, in threads of its own.
        "gateway.registry",
        "gateway.runtime",
        # Answers requests of the console, whose end looks after them.
        "gateway.console.playground",
    }


def test_last_resort_handlers_stand_at_the_edges_only():
    """Catching everything belongs to the request's edge and the stream's edge."""
    catching = []
    for name, path in _modules():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ExceptHandler) and (
                node.type is None
                or (isinstance(node.type, ast.Name) and node.type.id == "Exception")
            ):
                catching.append(name)
    assert set(catching) <= {"gateway.handler"}
    assert len(catching) <= 2
