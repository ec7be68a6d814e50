"""What stands beside code tells what the code leaves open."""

import pytest

from runagents.agents.detection import analyse, is_project_file

CREW = "from crewai import Agent, Crew\n"


def usages(**files):
    return [
        (u.file, u.line, u.model, u.variable)
        for u in analyse(
            {name.replace("__", "."): t for name, t in files.items()}
        ).usages
    ]


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("bot/.env", True),
        (".env.example", True),
        ("prod.env", True),
        ("requirements-dev.txt", True),
        ("bot/pyproject.toml", True),
        ("config/agents.yaml", True),
        ("notes.txt", False),
        ("package-lock.json", False),
        (".envrc", False),
    ],
)
def test_which_files_tell_something(name, known):
    assert is_project_file(name) is known


@pytest.mark.parametrize(
    "line",
    [
        "CHAT_MODEL=gpt-4o",
        'CHAT_MODEL="gpt-4o"',
        "export CHAT_MODEL = 'gpt-4o'  # why",
        "CHAT_MODEL=gpt-4o # why",
    ],
)
def test_a_dotenv_says_which_model_a_variable_names(line):
    code = "client.chat.completions.create(model=os.environ['CHAT_MODEL'])"
    found = analyse({"a.py": code, ".env": line}).usages
    assert [(u.file, u.model, u.variable) for u in found] == [
        ("a.py", "gpt-4o", "CHAT_MODEL")
    ]


def test_a_model_that_only_the_dotenv_names_is_found():
    found = analyse({"a.py": "run()", ".env": "A=1\nMODEL=openai/gpt-4o"}).usages
    assert [(u.file, u.line, u.model) for u in found] == [(".env", 2, "openai/gpt-4o")]


def test_a_setting_that_is_a_key_is_no_model():
    lines = "MODEL_API_KEY=gpt-4o\nMODEL=sk-abcdefghijklmnopqrstuvwx"
    assert analyse({".env": lines}) == analyse({".env": "\n"})


@pytest.mark.parametrize(
    ("name", "text", "libraries"),
    [
        (
            "requirements.txt",
            "openai>=1.2\n# no\n-r x.txt\nLangchain_OpenAI[x]; extra=='y'\nflask",
            ["langchain-openai", "openai"],
        ),
        (
            "pyproject.toml",
            '[project]\ndependencies = ["crewai[tools]>=0.1", "pandas"]\n'
            '[dependency-groups]\ndev = ["litellm", {include-group = "x"}]\n'
            '[tool.poetry.dependencies]\nanthropic = "^1"',
            ["anthropic", "crewai", "litellm"],
        ),
        (
            "package.json",
            '{"dependencies": {"@ai-sdk/openai": "1", "react": "1"},'
            ' "devDependencies": {"ai": "1"}}',
            ["@ai-sdk/openai", "ai"],
        ),
    ],
)
def test_libraries_are_named(name, text, libraries):
    assert analyse({name: text}).libraries == libraries


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("package.json", "{"),
        ("package.json", "[" * 100_000),
        ("pyproject.toml", "="),
    ],
)
def test_a_broken_file_is_named(name, text):
    assert analyse({name: text}).problems == [f"{name} cannot be read."]


@pytest.mark.parametrize("text", ["[1]", '{"dependencies": [1]}', "1", "null"])
def test_a_file_of_another_shape_says_nothing(text):
    assert analyse({"package.json": text}).libraries == []


def test_a_key_in_a_file_of_the_project_is_hard_coded():
    (key,) = analyse({"package.json": '{"x":\n"sk-abcdefghijklmnopqrstuvwx"}'}).keys
    assert (key.file, key.line) == ("package.json", 2)


# --- CrewAI: https://docs.crewai.com/en/concepts/llms ---


def test_crewai_names_its_models_in_many_places():
    code = f"""{CREW}
Agent(role="a", llm="gpt-4o")
Crew(agents=[], manager_llm="openai/gpt-4o", planning_llm="gpt-4o-mini")
Agent(role="b", llm=made_elsewhere)
"""
    assert usages(crew__py=code) == [
        ("crew.py", 3, "gpt-4o", ""),
        ("crew.py", 4, "gpt-4o-mini", ""),
        ("crew.py", 4, "openai/gpt-4o", ""),
    ]


def test_a_crewai_agent_without_a_model_reads_its_variable():
    code = f"{CREW}Agent(role='a')"
    assert usages(crew__py=code) == [("crew.py", 2, "", "OPENAI_MODEL_NAME")]
    found = analyse({"crew.py": code, ".env": "OPENAI_MODEL_NAME=gpt-4o"}).usages
    assert [usage.model for usage in found] == ["gpt-4o"]


def test_crewai_agents_of_a_yaml_file_are_read():
    text = "researcher:\n  role: x\n  llm: openai/gpt-4o  # y\nwriter:\n  llm: 'o3'\n"
    assert usages(agents__yaml=text) == [
        ("agents.yaml", 3, "openai/gpt-4o", ""),
        ("agents.yaml", 5, "o3", ""),
    ]
