"""A sealed file gives what was put in, or a sentence; never something else."""

import random

import pytest

from runagents.backups import sealed
from runagents.backups.sealed import HEADER, MAGIC, PIECE, TAG, Opener, Sealer

WHOLE = PIECE + TAG


@pytest.fixture(autouse=True)
def _cheap(monkeypatch):
    monkeypatch.setattr(sealed, "COST", 4)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "sealed"


def seal(file, content, passphrase="open sesame"):
    with file.open("wb") as out:
        sealer = Sealer(out, passphrase)
        for start in range(0, len(content), 300_007):
            sealer.write(content[start : start + 300_007])
        sealer.close()


def opened(file, passphrase="open sesame"):
    with file.open("rb") as source:
        opener = Opener(source, passphrase)
        content = b"".join(iter(lambda: opener.read(65_537), b""))
        opener.finish()
        return content


@pytest.mark.parametrize(
    "size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE, 3 * PIECE + 7]
)
def test_it_gives_what_was_put_in(file, size):
    content = random.Random(size).randbytes(size)
    seal(file, content)
    assert opened(file) == content
    assert size < 64 or content[:64] not in file.read_bytes()


def test_another_passphrase_is_told(file):
    seal(file, b"secret")
    with pytest.raises(sealed.Unreadable, match="BACKUP_PASSPHRASE"):
        opened(file, "open barley")


@pytest.mark.parametrize(
    "kept",
    [0, 5, len(MAGIC), *(HEADER + n for n in (-1, 0, 9, WHOLE, 2 * WHOLE)), -1],
)
def test_a_file_that_is_cut_off_is_told(file, kept):
    """Also where a piece ends: what is left there is whole in itself."""
    seal(file, bytes(2 * PIECE + 10))
    file.write_bytes(file.read_bytes()[:kept])
    with pytest.raises(sealed.Unreadable, match=r"cut off|beginning"):
        opened(file)


@pytest.mark.parametrize("place", [len(MAGIC), HEADER, HEADER + WHOLE + 5, -1])
def test_a_file_that_was_changed_is_told(file, place):
    seal(file, bytes(2 * PIECE + 10))
    content = bytearray(file.read_bytes())
    content[place] ^= 0x80
    file.write_bytes(content)
    with pytest.raises(sealed.Unreadable, match="damaged"):
        opened(file)


def test_pieces_cannot_be_exchanged_left_out_or_added(file):
    seal(file, bytes(PIECE) + b"1" * PIECE + b"2" * PIECE)
    content = file.read_bytes()
    head, pieces = content[:HEADER], content[HEADER:]
    one, two, three = (pieces[n : n + WHOLE] for n in range(0, 3 * WHOLE, WHOLE))
    for forged in ([two, one, three], [one, three], [one, two, three, three]):
        file.write_bytes(head + b"".join(forged))
        with pytest.raises(sealed.Unreadable, match="damaged"):
            opened(file)


def test_a_file_cannot_ask_for_all_memory(file):
    seal(file, b"")
    content = bytearray(file.read_bytes())
    content[len(MAGIC)] = 40
    file.write_bytes(content)
    with pytest.raises(sealed.Unreadable, match="damaged"):
        opened(file)
