"""Sources are read in a process of their own, which may die without harm."""

import asyncio

import pytest

from runagents.agents.detection import Analysis, analyse, reading
from runagents.agents.detection.reading import Step

GOOD = {"good.py": "ollama.chat(model='llama3.2')"}
KEY = "sk-" + "a1b2c3d4" * 3


def read(files, **options):
    """Return the steps and the analysis."""

    async def collect():
        return [item async for item in reading.read(files, **options)]

    *steps, analysis = asyncio.run(collect())
    return steps, analysis


def test_it_tells_its_steps_and_finds_what_analyse_finds():
    files = {**GOOD, "more.ts": "anthropic.messages.create({model: 'claude-x'})"}
    steps, analysis = read(files)
    assert analysis == analyse(files)
    assert steps == [
        Step(stage, file)
        for stage in ("parsing", "detection", "scanning")
        for file in ("good.py", "more.ts")
    ]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("bad.js", "{a:" * 200_000),
        ("bad.py", "(" * 500_000),
        ("bad.py", "-" * 500_000 + "1"),
    ],
)
def test_a_file_that_breaks_a_parser_is_named_and_the_others_count(name, text):
    _steps, analysis = read({**GOOD, name: text})
    assert [usage.file for usage in analysis.usages] == ["good.py"]
    assert len(analysis.problems) == 1
    assert analysis.problems[0].startswith(name)


def test_what_takes_too_long_is_given_up():
    _steps, analysis = read(GOOD, seconds=0)
    assert analysis == Analysis(problems=["good.py was not read."])


def test_a_file_that_cannot_be_parsed_is_searched_for_keys():
    _steps, analysis = read({"bad.py": f"def (\nKEY = '{KEY}'"})
    assert [(key.kind, key.line) for key in analysis.keys] == [("OpenAI API key", 2)]


def test_leaving_early_ends_the_process():
    async def leave():
        items = reading.read({"slow.js": "{a:" * 300_000})
        first = await anext(items)
        await items.aclose()
        return first

    assert asyncio.run(leave()) == Step("parsing", "slow.js")
