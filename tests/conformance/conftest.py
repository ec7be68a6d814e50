"""The server and the upstream are those of the end-to-end tests."""

from tests.e2e.conftest import installation, replay, server

__all__ = ["installation", "replay", "server"]
