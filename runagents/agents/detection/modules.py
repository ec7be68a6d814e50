"""Which file of an upload an import means. Paths in, paths out."""

import posixpath
from collections.abc import Collection, Iterable
from pathlib import PurePosixPath

# What a bundler's settings usually make of these: the folder of the sources.
ALIASES = ("@/", "~/")


def python_file(importer: str, module: str, files: Collection[str]) -> str | None:
    """Return the file that `module` is, as the file `importer` names it.

    >>> python_file("app/agent.py", ".config", ["app/config.py", "config.py"])
    'app/config.py'
    """
    name = module.lstrip(".")
    level = len(module) - len(name)
    path = name.replace(".", "/")
    folder = posixpath.dirname(importer)
    if level:
        for _up in range(level - 1):
            folder = posixpath.dirname(folder)
        wanted = posixpath.join(folder, path)
        exact = [f"{wanted}.py", posixpath.join(wanted, "__init__.py")]
        return _first(exact, files) or _flat(path, (".py",), files)
    return _ending([f"{path}.py", f"{path}/__init__.py"], folder, files) or _flat(
        path, (".py",), files
    )


def script_file(
    importer: str, module: str, files: Collection[str], suffixes: Iterable[str]
) -> str | None:
    """Return the file that `module` is, as the script `importer` names it.

    >>> script_file("src/agent.ts", "./config.js", ["src/config.ts"], [".ts"])
    'src/config.ts'
    """
    suffixes = tuple(suffixes)
    folder = posixpath.dirname(importer)
    if module.startswith("."):
        wanted = posixpath.normpath(posixpath.join(folder, module))
        return _first(_script_paths(wanted, suffixes), files) or _flat(
            wanted, suffixes, files
        )
    if module.startswith(ALIASES):
        path = module[2:]
        return _ending(_script_paths(path, suffixes), folder, files) or _flat(
            path, suffixes, files
        )
    return None


def _script_paths(path: str, suffixes: tuple[str, ...]) -> list[str]:
    """Return the paths that a script's import may mean; TypeScript writes `.js`."""
    stem = str(PurePosixPath(path).with_suffix("")) if path.endswith(suffixes) else path
    return [
        path,
        *(stem + suffix for suffix in suffixes),
        *(posixpath.join(path, f"index{suffix}") for suffix in suffixes),
    ]


def _first(wanted: Iterable[str], files: Collection[str]) -> str | None:
    return next((path for path in wanted if path in files), None)


def _ending(wanted: list[str], folder: str, files: Collection[str]) -> str | None:
    """Return the file whose path ends so; the one nearest to `folder` of several."""
    found = [
        file
        for path in wanted
        for file in files
        if file == path or file.endswith(f"/{path}")
    ]
    return min(found, key=lambda file: _distance(file, folder), default=None)


def _distance(file: str, folder: str) -> int:
    shared = posixpath.commonprefix([file.split("/"), folder.split("/")])
    return file.count("/") - 2 * len(shared)


def _flat(path: str, suffixes: tuple[str, ...], files: Collection[str]) -> str | None:
    """Return the one file of that name: files chosen one by one lost their folders."""
    stem = PurePosixPath(path).stem
    found = [
        file
        for file in files
        if PurePosixPath(file).stem == stem and file.endswith(suffixes)
    ]
    return found[0] if len(found) == 1 else None
