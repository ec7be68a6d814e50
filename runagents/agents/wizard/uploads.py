"""From what a browser sends to the texts that are read: files, folders, archives.

What is chosen file by file must be readable. Of a folder or an archive what is of no
use is left aside and counted, so that a whole project can be dropped.
"""

import stat
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _

from runagents.agents.detection import (
    MAX_FILES,
    MAX_SOURCE,
    MAX_TOTAL,
    SUFFIXES,
    is_project_file,
)

ARCHIVE = ".zip"
MAX_ENTRIES = 20_000
# Sources shrink to a tenth. What unpacks to far more is made to fill a disk.
MAX_RATIO = 200
MAX_PATH = 255
# What tools put into a project's folder; none of it is the agent's own.
FOREIGN = frozenset(
    {
        *("node_modules", "site-packages", "venv", ".venv", "env", "__pycache__"),
        *(".git", ".hg", ".svn", ".tox", ".nox", ".mypy_cache", ".ruff_cache"),
        *(".pytest_cache", ".next", ".nuxt", ".turbo", "dist", "build", "__MACOSX"),
    }
)


class Source(NamedTuple):
    """The texts to read, by path, and how many files were left aside."""

    texts: dict[str, str]
    left_out: int


class _Collected:
    """Texts within the bounds of what is read at once."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.left_out = 0

    def add(self, path: str, text: str) -> None:
        """Keep a text; raises ValidationError when it is one too many."""
        self.texts[_free(path, self.texts)] = text
        if len(self.texts) > MAX_FILES:
            raise ValidationError(
                _("More than %d files cannot be read at once.") % MAX_FILES
            )
        if sum(map(len, self.texts.values())) > MAX_TOTAL:
            raise ValidationError(_("More than 4 MiB cannot be read at once."))


def collect(
    files: "Iterable[UploadedFile[Any]]",
    folder: "Iterable[UploadedFile[Any]]" = (),
    paths: Iterable[str] = (),
    pasted: Iterable[tuple[str, str]] = (),
) -> Source:
    """Return what can be read of an upload; raises ValidationError in a sentence.

    `files` are chosen one by one, archives among them; `folder` is a whole one, whose
    `paths` the browser tells beside it, in the same order.
    """
    found = _Collected()
    for name, text in pasted:
        found.add(name, text)
    for file in files:
        if _suffix(file.name or "") == ARCHIVE:
            _unpack(file, found)
        else:
            _take_chosen(file, found)
    told = list(paths)
    for number, file in enumerate(folder):
        path = told[number] if number < len(told) else file.name or ""
        _take(_inside(path, file.name or ""), file.read(MAX_SOURCE + 1), found)
    return Source(found.texts, found.left_out)


def is_read(path: str) -> bool:
    """Tell whether a file of a project is worth reading."""
    *folders, _name = PurePosixPath(path).parts or [""]
    return not FOREIGN & set(folders) and _is_known(path)


def _is_known(path: str) -> bool:
    return _suffix(path) in SUFFIXES or is_project_file(path)


def _suffix(path: str) -> str:
    return PurePosixPath(path).suffix.lower()


def _take(path: str, content: bytes, found: _Collected) -> None:
    """Take a file of a folder or archive; what is no text is left aside."""
    if not is_read(path):
        found.left_out += 1
        return
    try:
        found.add(path, content.decode())
    except UnicodeDecodeError:
        found.left_out += 1


def _take_chosen(file: "UploadedFile[Any]", found: _Collected) -> None:
    """Take a file that was chosen by itself; raises ValidationError for no source."""
    name = file.name or ""
    if not _is_known(name):
        raise ValidationError(
            _("`%(name)s` is not read here. Choose files that end in %(suffixes)s."),
            params={"name": name, "suffixes": ", ".join((*SUFFIXES, ARCHIVE))},
        )
    try:
        # One past the limit tells a file that is too large; reading names it.
        text: str = file.read(MAX_SOURCE + 1).decode()
    except UnicodeDecodeError:
        raise ValidationError(
            _("`%(name)s` is not UTF-8 text."), params={"name": name}
        ) from None
    found.add(name, text)


def _inside(path: str, name: str) -> str:
    """Return a path as it is shown; one that leaves its folder is its name alone."""
    parts = PurePosixPath(path.strip()).parts
    is_odd = not parts or ".." in parts or parts[0] == "/" or len(path) > MAX_PATH
    return PurePosixPath(name).name if is_odd else "/".join(parts)


def _free(path: str, taken: Iterable[str]) -> str:
    """Return `path`, counted up when a file of another folder has it too."""
    pure, number, free = PurePosixPath(path), 2, path
    while free in taken:
        free = str(pure.with_name(f"{pure.stem}-{number}{pure.suffix}"))
        number += 1
    return free


# --- archives ---

# What `zipfile` raises for damage, a password, or a method that it does not know.
_DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError),
    *(OSError, EOFError, ValueError),
)


def _unpack(file: "UploadedFile[Any]", found: _Collected) -> None:
    """Read an archive's sources, in memory; raises ValidationError for a hostile one.

    Nothing is written anywhere, and no entry is read further than a source may be long,
    whatever it says of its own length.
    """
    name = file.name or ""
    try:
        with zipfile.ZipFile(file) as archive:
            for entry in _entries(archive, name):
                found.left_out += not is_read(entry.filename)
                if is_read(entry.filename):
                    with archive.open(entry) as content:
                        _take(entry.filename, content.read(MAX_SOURCE + 1), found)
    except _DAMAGE:
        sentence = _("`%(name)s` cannot be unpacked: damaged or locked.")
        raise _refused(sentence, name) from None


def _entries(archive: zipfile.ZipFile, name: str) -> Iterator[zipfile.ZipInfo]:
    """Yield an archive's files, once all that it says of them is found bearable."""
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    if len(entries) > MAX_ENTRIES:
        raise _refused(_("`%(name)s` holds too many files."), name)
    if any(_leads_out(entry.filename) for entry in entries):
        raise _refused(_("`%(name)s` holds paths that lead out of it."), name)
    read = [entry for entry in entries if is_read(entry.filename)]
    unpacked = sum(entry.file_size for entry in read)
    packed = sum(entry.compress_size for entry in read)
    if unpacked > MAX_TOTAL or unpacked > MAX_SOURCE + packed * MAX_RATIO:
        raise _refused(_("`%(name)s` unpacks to too much: 4 MiB of code."), name)
    for entry in entries:
        # A link is the text of a path and no source.
        if not stat.S_ISLNK(entry.external_attr >> 16):
            yield entry


def _leads_out(path: str) -> bool:
    parts = path.replace("\\", "/").split("/")
    return not parts[0] or ".." in parts or ":" in parts[0] or len(path) > MAX_PATH


def _refused(sentence: str, name: str) -> ValidationError:
    return ValidationError(sentence, params={"name": name})
