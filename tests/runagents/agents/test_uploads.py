"""A folder or an archive is taken whole, within bounds; nothing of it is kept."""

import io
import stat
import zipfile

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from runagents.agents.detection import MAX_FILES, MAX_SOURCE
from runagents.agents.models import Draft
from runagents.agents.wizard import drafts, uploads

CALL = "client.chat.completions.create(model='gpt-4o')"
SECRET = "s3cr3t-value-of-a-service"


def file(name, content=b"x = 1"):
    return SimpleUploadedFile(name, content)


def archive(name="bot.zip", method=zipfile.ZIP_DEFLATED, **entries):
    """Return a zip of path -> content."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as made:
        for path, content in entries.items():
            made.writestr(path, content)
    return file(name, packed.getvalue())


def unpacked(**entries):
    return uploads.collect([archive(**entries)])


def refusal(*files):
    with pytest.raises(ValidationError) as refused:
        uploads.collect(files)
    return " ".join(refused.value.messages)


def test_an_archive_is_read_with_its_paths():
    read = unpacked(**{"bot/app/main.py": CALL, "bot/logo.png": b"\xff"})
    assert read == ({"bot/app/main.py": CALL}, 1)


def test_a_folder_is_read_with_the_paths_that_the_browser_tells():
    folder = [file("main.py"), file("main.py"), file("logo.png")]
    paths = ["bot/a/main.py", "bot/b/main.py", "bot/logo.png"]
    read = uploads.collect([], folder, paths)
    assert list(read.texts) == ["bot/a/main.py", "bot/b/main.py"]
    assert read.left_out == 1


def test_a_folder_without_told_paths_counts_equal_names_up():
    read = uploads.collect([], [file("main.py"), file("main.py")])
    assert list(read.texts) == ["main.py", "main-2.py"]


@pytest.mark.parametrize("path", ["../../etc/x.py", "/etc/x.py", "a/../../x.py", ""])
def test_a_told_path_that_leads_out_is_its_name_alone(path):
    assert list(uploads.collect([], [file("x.py")], [path]).texts) == ["x.py"]


@pytest.mark.parametrize(
    "path",
    [
        "bot/node_modules/openai/index.js",
        "bot/.venv/lib/python3.11/site-packages/openai/x.py",
        "bot/.git/hooks/x.py",
        "bot/package-lock.json",
        "bot/uv.lock",
        "bot/inner.zip",
    ],
)
def test_what_tools_put_there_is_left_aside(path):
    read = unpacked(**{path: "x", "bot/main.py": CALL})
    assert read == ({"bot/main.py": CALL}, 1)


@pytest.mark.parametrize(
    "path", ["../x.py", "a/../../x.py", "/x.py", "..\\x.py", "c:/x.py", "a" * 300]
)
def test_an_archive_with_paths_that_lead_out_is_refused(path):
    assert "lead out of it" in refusal(archive(**{path: "x"}))


def test_links_in_an_archive_are_not_followed():
    packed = io.BytesIO()
    link = zipfile.ZipInfo("link.py")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(packed, "w") as made:
        made.writestr(link, "/etc/passwd")
        made.writestr("main.py", CALL)
    assert uploads.collect([file("a.zip", packed.getvalue())]).texts == {
        "main.py": CALL
    }


def test_an_archive_that_unpacks_to_too_much_is_refused():
    bomb = archive(**{f"{n}.py": b"0" * MAX_SOURCE for n in range(3)})
    assert bomb.size < 10_000
    assert "unpacks to too much" in refusal(bomb)


def test_an_entry_longer_than_it_says_is_no_more_than_damage():
    # The central directory says 5 bytes; the data go on.
    packed = archive(**{"a.py": b"1" * 100_000}).read()
    at = packed.index(b"PK\x01\x02") + 24
    lying = packed[:at] + (5).to_bytes(4, "little") + packed[at + 4 :]
    assert "cannot be unpacked" in refusal(file("a.zip", lying))


def test_too_many_entries_are_refused(monkeypatch):
    monkeypatch.setattr(uploads, "MAX_ENTRIES", 3)
    entries = {f"{n}.txt": "" for n in range(4)}
    assert "too many files" in refusal(archive(**entries))


def test_too_many_sources_are_refused():
    entries = {f"{n}.py": "" for n in range(MAX_FILES + 1)}
    assert "More than 500 files" in refusal(archive(**entries))


@pytest.mark.parametrize("content", [b"", b"PK", b"PK\x03\x04" + b"\0" * 60, b"x" * 99])
def test_a_damaged_archive_is_told(content):
    assert "cannot be unpacked" in refusal(file("a.zip", content))


def test_a_locked_archive_is_told():
    packed = bytearray(archive(**{"a.py": "x"}).read())
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        packed[packed.index(mark) + flags] |= 1
    assert "cannot be unpacked" in refusal(file("a.zip", bytes(packed)))


def test_settings_and_dependencies_beside_code_do_not_refuse_it():
    names = [".env", "requirements.txt", "pyproject.toml", "package.json"]
    read = uploads.collect([file(name) for name in [*names, "main.py"]])
    assert list(read.texts) == [*names, "main.py"]


# --- through the page ---


@pytest.mark.django_db
def test_of_a_dotenv_nothing_but_models_and_hosts_is_kept(logged_in_client):
    dotenv = (
        f"OPENAI_API_KEY=sk-abcdefghijklmnopqrstuvwx\nDB_PASSWORD={SECRET}\n"
        f"PLAIN={SECRET}\nMODEL_TOKEN={SECRET}\nCHAT_MODEL='gpt-4o'\n"
        f"OPENAI_BASE_URL=https://me:{SECRET}@api.openai.com/v1?key={SECRET}\n"
    )
    code = "import os\nclient.chat.completions.create(model=os.environ['CHAT_MODEL'])"
    packed = archive(**{"bot/.env": dotenv, "bot/main.py": code})
    answer = logged_in_client.post(reverse("agent-read"), {"uploads": [packed]})
    draft = Draft.objects.get()
    (usage,) = drafts.analysis_of(draft).usages
    assert (usage.file, usage.model, usage.variable) == (
        "bot/main.py",
        "gpt-4o",
        "CHAT_MODEL",
    )
    page = logged_in_client.get(answer.url).content.decode()
    assert "<code>bot/.env:6</code> calls api.openai.com itself" in page
    stored = str(Draft.objects.values_list().get())
    for text in (page, stored):
        assert SECRET not in text
        assert "sk-abcdef" not in text


@pytest.mark.django_db
def test_an_upload_without_code_is_told(logged_in_client):
    packed = archive(**{"logo.png": "x"})
    answer = logged_in_client.post(reverse("agent-read"), {"uploads": [packed]})
    assert answer.status_code == 422
    assert "None of these files is Python" in answer.content.decode()


@pytest.mark.django_db
def test_the_agent_is_named_after_its_folder(logged_in_client):
    packed = archive(**{"trip-planner/main.py": CALL, "trip-planner/x.py": ""})
    logged_in_client.post(reverse("agent-read"), {"uploads": [packed]})
    assert Draft.objects.get().name == "trip-planner"
