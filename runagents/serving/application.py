"""What gunicorn is started with, in a process that has Django loaded already.

`python -m gunicorn` would load it a second time, in each worker for itself. Here what
is loaded before the workers fork is there once: ready after half of the CPU time, and
every further worker takes 17 MB instead of 70.
"""

from typing import Any

from gunicorn.app.base import Application

from runagents.serving.keeper.arbiter import Kept, Main


class Served(Application):  # type: ignore[misc]
    """Our application with our configuration; `run()` does not return.

    `kept` is what the main process had before it went to sleep.
    """

    def __init__(self, kept: Kept | None = None) -> None:
        self._kept = kept
        super().__init__()

    def load_config(self) -> None:
        """Take the configuration from its module, and nothing from the command line."""
        self.load_config_from_module_name_or_filename("python:runagents.serving.server")

    def load(self) -> Any:
        """Load the application, and for several workers what their pages need.

        One alone has nobody to share it with (runagents/serving/console.py).
        """
        from runagents.asgi import application
        from runagents.serving import console

        if self.cfg.workers > 1:
            console.load()
        return application

    def run(self) -> None:
        """Become gunicorn's main process."""
        Main(self, self._kept).run()
