"""gunicorn's configuration; `manage.py serve` becomes gunicorn with this module.

https://docs.gunicorn.org/en/stable/settings.html
"""

import gc
from typing import Any

from runagents import settings
from runagents.serving import exits

_host = (
    f"[{settings.LISTEN_HOST}]" if ":" in settings.LISTEN_HOST else settings.LISTEN_HOST
)

bind = f"{_host}:{settings.LISTEN_PORT}"
workers = settings.WORKERS
worker_class = "runagents.serving.worker.Worker"
asgi_loop = "uvloop"
# Ours stands before this one (parser.py). A gunicorn_h1c that happens to be installed
# would be taken otherwise: gunicorn wants 0.6.14, which PyPI does not have, and takes
# older ones, which frame what is refused here.
http_parser = "python"
asgi_lifespan = "on"
# A client that leaves cancels its request at once, and with it the upstream's.
asgi_disconnect_grace_period = 0
worker_connections = 4096
backlog = 4096
keepalive = 75
timeout = 30
# Longer than the drain: gunicorn kills without running any `finally`.
graceful_timeout = settings.DRAIN_SECONDS + 15
limit_request_line = 8190
limit_request_fields = 100
limit_request_field_size = 8190
# Names with an underscore come through: one marks a proxy (gateway/entry/callers.py).
# Nothing here takes them for names with a dash.
header_map = "dangerous"
# Recycling a worker would break off its streams.
max_requests = 0
control_socket_disable = True
logger_class = "runagents.serving.logs.ServerLogger"
loglevel = "warning"
# What is loaded before the workers fork is theirs in common. So it may hold nothing
# that is one process's own: tests/runagents/serving/test_before_the_fork.py.
preload_app = True


def pre_fork(arbiter: Any, worker: Any) -> None:
    """Let signals to end wait until the worker takes them (worker.init_signals)."""
    exits.hold()


def when_ready(arbiter: Any) -> None:
    """Keep the collector off what was loaded: it would copy what is shared.

    What is garbage by now stays, 0.5 MB. Freed, it would leave holes all over, and each
    worker that fills them would copy 2.5 MB of pages.
    https://docs.python.org/3/library/gc.html#gc.freeze
    """
    gc.freeze()
    gc.enable()
