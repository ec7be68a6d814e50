"""PostgreSQL as it is installed, started for a test."""

import os
import pwd
import shutil
import subprocess
from pathlib import Path
from typing import Any

import psycopg

from tests.e2e.processes import free_port
from tests.services import program


class Cluster:
    """A PostgreSQL of our own on a free port."""

    def __init__(self, folder: Path) -> None:
        self._control = program("pg_ctl", "/usr/lib/postgresql/*/bin")
        self._data = folder / "data"
        self.port = free_port()
        self.url = f"postgres://postgres@127.0.0.1:{self.port}/postgres"
        # PostgreSQL refuses to run as root; who is not root runs it as themselves.
        self._as: dict[str, Any] = {}
        if os.geteuid() == 0:
            account = pwd.getpwnam("postgres")
            shutil.chown(folder, account.pw_uid, account.pw_gid)
            self._as = {"user": account.pw_uid, "group": account.pw_gid}
        self._folder = folder
        self._run("initdb", "-o", "-A trust -E UTF8 -U postgres --no-sync")

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        listen = f"-p {self.port} -k {self._folder} -c listen_addresses=127.0.0.1"
        options = f"{listen} -c fsync=off -c max_connections=40"
        self._run(
            "start", "-w", "-t", "100", "-l", str(self._folder / "log"), "-o", options
        )

    def database(self, name: str) -> str:
        """Make an empty database and return its URL."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return f"{self.url.rpartition('/')[0]}/{name}"

    def stop(self) -> None:
        """Stop it at once; connections break."""
        self._run("stop", "-w", "-t", "100", "-m", "immediate")

    def rows(self, statement: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Return what a query finds."""
        with psycopg.connect(self.url, dbname=database) as connection:
            return connection.execute(statement).fetchall()

    def run_sql(self, *statements: str) -> None:
        """Execute statements, also where the database takes none of others."""
        with psycopg.connect(
            self.url, autocommit=True, options="-c default_transaction_read_only=off"
        ) as connection:
            for each in statements:
                connection.execute(each)

    def _run(self, action: str, *options: str) -> None:
        command = [self._control, action, "-D", str(self._data), *options]
        with (self._folder / "control.log").open("ab") as log:
            subprocess.run(
                command,
                check=True,
                timeout=120,
                cwd="/",
                stdout=log,
                stderr=subprocess.STDOUT,
                **self._as,
            )
