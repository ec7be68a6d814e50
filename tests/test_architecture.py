"""Imports point one way only, and vendors stay where they belong.

`runagents -> gateway -> providers`; translators and wire formats know no Django, no
HTTP client, no clock and no settings. ARCHITECTURE.md draws the same arrows.
"""

import ast
import sys
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("runagents", "gateway", "providers")
MOST = 12

# What reads and writes a format of somebody's may use.
FORMAT = {
    "gateway.errors",
    "gateway.hub",
    "gateway.translators.words",
    "gateway.values",
    "gateway.wire",
}
# Room -> the rooms of ours it may import besides itself; the longest name decides.
ALLOWED: dict[str, set[str]] = {
    "gateway.wire": set(),
    "gateway.errors": {"gateway.wire"},
    "gateway.identifiers": set(),
    "gateway.values": set(),
    "gateway.locks": set(),
    "gateway.apps": set(),
    "gateway.models": set(),
    "gateway.admin": {"gateway.models", "providers.admin"},
    "gateway.memory": {"gateway.models"},
    "gateway.hub": {
        "gateway.errors",
        "gateway.values",
        "gateway.wire",
        "providers.key_shapes",
    },
    # The table; each format for itself, but Bedrock hosts Claude's and OpenAI's.
    "gateway.translators": {"gateway.hub"},
    "gateway.translators.words": {"gateway.hub"},
    "gateway.translators.openai": FORMAT,
    "gateway.translators.anthropic": FORMAT,
    "gateway.translators.ollama": FORMAT,
    "gateway.translators.bedrock": {
        *FORMAT,
        "gateway.translators.anthropic",
        "gateway.translators.openai",
    },
    "gateway.ledger": {
        "gateway.errors",
        "gateway.identifiers",
        "gateway.locks",
        "gateway.memory",
        "gateway.models",
        "gateway.wire",
        "providers.attempts",
        "providers.key_shapes",
        "providers.vendors",
    },
    "gateway.limits": {"gateway.errors", "providers.attempts"},
    "gateway.doors": {
        "gateway.errors",
        "gateway.hub",
        "gateway.values",
        "gateway.wire",
    },
    "gateway.worker": {
        "gateway.errors",
        "gateway.hub",
        "gateway.ledger",
        "gateway.limits",
        "gateway.models",
        "gateway.translators",
        "providers.auth",
        "providers.database",
        "providers.models",
        "providers.options",
        "providers.status",
        "providers.transport",
        "providers.network.ways",
    },
    "gateway.calls": {
        "gateway.doors",
        "gateway.errors",
        "gateway.hub",
        "gateway.identifiers",
        "gateway.ledger",
        "gateway.limits",
        "gateway.models",
        "gateway.translators",
        "gateway.values",
        "gateway.wire",
        "gateway.worker",
        "providers.auth",
        "providers.endpoints",
        "providers.transport",
    },
    "gateway.tracing": {"gateway.ledger", "gateway.wire"},
    "gateway.metrics": {
        "gateway.identifiers",
        "gateway.ledger",
        "gateway.locks",
        "gateway.worker",
        "providers.auth",
        "providers.models",
    },
    "gateway.entry": {
        "gateway.calls",
        "gateway.doors",
        "gateway.errors",
        "gateway.identifiers",
        "gateway.ledger",
        "gateway.memory",
        "gateway.metrics",
        "gateway.sandbox",
        "gateway.tracing",
        "gateway.wire",
        "gateway.worker",
        "providers.attempts",
        "providers.database",
        "providers.keys",
        "providers.starter",
    },
    "gateway.sandbox": {"gateway.errors", "gateway.hub", "gateway.wire"},
    "gateway.console": {
        "gateway.calls",
        "gateway.doors",
        "gateway.errors",
        "gateway.identifiers",
        "gateway.ledger",
        "gateway.models",
        "gateway.wire",
        "gateway.worker",
        "providers",
    },
    "providers.auth": {
        "providers.database",
        "providers.models",
        "providers.options",
        "providers.sealing",
        "providers.transport",
        "providers.network.ways",
    },
    "providers.forms": {
        "providers.network.certificates",
        "providers.choices",
        "providers.endpoints",
        "providers.models",
        "providers.options",
        "providers.network.proxy_address",
        "providers.sealing",
        "providers.vendors",
    },
    "providers.model_lists": {
        "providers.models",
        "providers.starter",
        "providers.status",
        "providers.vendors",
    },
    "providers.network": set(),
    "providers.network.expiry": {"providers.models", "providers.network"},
    "providers.network.ways": {
        "providers.models",
        "providers.network",
        "providers.options",
        "providers.sealing",
        "providers.transport",
    },
    "providers.options": {
        "providers.network.certificates",
        "providers.network.proxy_address",
    },
    "providers.status": {
        "providers.auth",
        "providers.database",
        "providers.endpoints",
        "providers.key_shapes",
        "providers.models",
        "providers.starter",
        "providers.transport",
        "providers.vendors",
        "providers.network.ways",
    },
    "providers.key_shapes": set(),
    "providers.transport": {
        "providers.addresses",
        "providers.network.certificates",
        "providers.network.proxy_address",
    },
    "providers.vendors": set(),
    "providers": set(),
    "runagents": {"gateway", "providers"},
}
# Package or module -> who else may import from it. Only the routes know that the
# sandbox is in this process; no agent's call depends on the console's pages or forms.
CLOSED: dict[str, set[str]] = {
    "gateway.console": {"runagents"},
    "gateway.sandbox": {"gateway.entry.views.sandbox"},
    "providers.api": {
        "providers.admin.secrets",
        # Its files of the registry, in and out.
        "providers.console.registry_views",
        "providers.management",
        "runagents.agents",
        "runagents.reference",
    },
    "providers.console": set(),
    "providers.forms": {"providers", "runagents"},
    "providers.transport.answers": {"providers.transport"},
    "providers.transport.connection": {"providers.transport"},
    "providers.transport.exchange": {"providers.transport"},
    "providers.transport.guard": {"providers.transport"},
    # A call knows a translator, and nothing that the console knows of its vendor.
    "providers.vendors": {"gateway.ledger", "providers", "runagents"},
}
# What the sans-IO packages may use besides the standard library.
LIBRARIES = {
    "gateway.wire": {"msgspec", "botocore"},
    "gateway.doors": set(),
    "gateway.hub": set(),
    "gateway.translators": set(),
    "providers.key_shapes": set(),
}
# Standard library modules that a pure function has no use for.
IMPURE = {"asyncio", "logging", "os", "random", "secrets", "socket", "time"}


@cache
def _modules() -> list[tuple[str, Path]]:
    found = []
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if "migrations" not in path.parts:
                name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
                found.append((name.removesuffix(".__init__"), path))
    return [(name, path) for name, path in found if name != "gateway"]


def _is_init(path: Path) -> bool:
    return path.name == "__init__.py"


@cache
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
    rows = [row for row in ALLOWED if f"{name}.".startswith(f"{row}.")]
    assert rows, f"{name} has no row in ALLOWED"
    return max(rows, key=len)


@pytest.mark.parametrize(("name", "path"), _modules(), ids=lambda value: str(value))
def test_imports_follow_the_arrows(name, path):
    rule = _rule(name)
    pure = next((room for room in LIBRARIES if _is_within(name, {room})), None)
    for imported in _imports(name, path):
        top = imported.partition(".")[0]
        if top in PACKAGES:
            allowed = ALLOWED[rule] | {rule}
            assert _is_within(imported, allowed), f"{name} imports {imported}"
        elif pure is not None:
            assert top in LIBRARIES[pure] or top in sys.stdlib_module_names, (
                f"{name} imports {imported}, which is not for {pure}"
            )
            assert top not in IMPURE, f"{name} imports {imported} and must stay pure"


def test_no_folder_holds_more_modules_than_a_reader_takes_in():
    """A dozen at the most: past that a stranger does not find the room."""
    folders = Counter(path.parent for name, path in _modules() if not _is_init(path))
    crowded = {str(f.relative_to(ROOT)): n for f, n in folders.items() if n > MOST}
    assert crowded == {}


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
        # Name the settings module, as every Django project does.
        "runagents.asgi",
        "runagents.management.commandline",
        # Hands what the command line says to the settings.
        "runagents.serving.address",
        # Reads the variables that a registry file refers to.
        "providers.management.commands.providers",
        # Is an agent, a program of its own.
        "runagents.agents.starter.hello_world",
    }


def test_every_provider_type_has_a_translator():
    from gateway.translators import TRANSLATORS
    from providers.vendors import VENDORS

    assert set(TRANSLATORS) == set(VENDORS)


@pytest.mark.proves("3.11")
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
    assert makers <= {
        "providers.transport.pool",
        "runagents.agents.starter.hello_world",
    }


def test_threads_look_after_their_connections():
    """A thread of a chore keeps its database connection, broken or not."""
    users = {name for name, path in _modules() if _uses(path, {"sync_to_async"})}
    assert {name for name in users if not name.startswith("runagents.")} <= {
        "providers.database",
        # Open what was read before: no query.
        "providers.status",
        "providers.status.responses_api",
        "providers.status.trial",
        # Looks after its own, in threads of its own.
        "gateway.worker.chores",
        # Answers requests of the console, whose end looks after them.
        "gateway.console.playground",
    }


@pytest.mark.proves("10.6")
def test_last_resort_handlers_stand_at_the_edges_only():
    """Catching everything belongs to the request's edge and the stream's edge.

    What breaks where a socket is read comes to the stream's, whose task waits for it.
    """
    catching = []
    for name, path in _modules():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ExceptHandler) and (
                node.type is None
                or (isinstance(node.type, ast.Name) and node.type.id == "Exception")
            ):
                catching.append(name)
    assert catching.count("gateway.entry.handler") <= 2
    assert catching.count("providers.transport.connection") <= 1
    assert set(catching) <= {"gateway.entry.handler", "providers.transport.connection"}
