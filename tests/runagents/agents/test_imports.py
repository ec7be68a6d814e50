"""What a call's names stand for is found in the other files of an upload."""

import pytest

from runagents.agents.detection import analyse

PYTHON = "from openai import OpenAI\nOpenAI().chat.completions.create(model={})\n"
SCRIPT = "await openai.chat.completions.create({{model: {}, messages}});\n"


def model_of(files):
    (usage,) = analyse(files).usages
    return usage.file, usage.model, usage.variable


@pytest.mark.parametrize(
    ("line", "name", "file", "text"),
    [
        ("from config import MODEL", "MODEL", "config.py", "MODEL = 'm'"),
        ("from config import MODEL as M", "M", "config.py", "MODEL = 'm'"),
        ("import config", "config.MODEL", "config.py", "MODEL = 'm'"),
        ("import app.config", "app.config.MODEL", "app/config.py", "MODEL = 'm'"),
        ("import app.config as c", "c.MODEL", "app/config.py", "MODEL = 'm'"),
        ("from app import config", "config.MODEL", "app/config.py", "MODEL = 'm'"),
        ("from app import MODEL", "MODEL", "app/__init__.py", "MODEL = 'm'"),
        ("from .config import MODEL", "MODEL", "config.py", "MODEL: str = 'm'"),
        ("from . import config", "config.MODEL", "config.py", "MODEL = 'm'"),
        ("from config import MODELS", "MODELS['x']", "config.py", "MODELS={'x': 'm'}"),
        (
            "from config import settings",
            "settings.model",
            "config.py",
            "class Settings(Base):\n    model: str = 'm'\nsettings = Settings()",
        ),
        ("from config import Config", "Config.M", "config.py", "class Config:\n M='m'"),
        # Files chosen one by one have lost their folders.
        ("from app.deep.config import MODEL", "MODEL", "config.py", "MODEL = 'm'"),
        ("from ..shared.config import MODEL", "MODEL", "config.py", "MODEL = 'm'"),
    ],
)
def test_python_finds_constants_of_other_files(line, name, file, text):
    files = {"agent.py": f"{line}\n{PYTHON.format(name)}", file: text}
    assert model_of(files) == ("agent.py", "m", "")


def test_the_nearest_file_of_several_is_meant():
    files = {
        "bot/agents/one.py": f"from ..config import M\n{PYTHON.format('M')}",
        "bot/config.py": "M = 'right'",
        "other/config.py": "M = 'wrong'",
        "config.py": "M = 'wrong'",
    }
    assert model_of(files) == ("bot/agents/one.py", "right", "")
    files["bot/agents/one.py"] = f"from bot.config import M\n{PYTHON.format('M')}"
    assert model_of(files) == ("bot/agents/one.py", "right", "")


def test_a_constant_that_other_files_hand_on_is_followed():
    files = {
        "a.py": f"from b import MODEL\n{PYTHON.format('MODEL')}",
        "b.py": "from c import MODEL",
        "c.py": "import os\nMODEL = os.getenv('BOT_MODEL', 'm')",
    }
    assert model_of(files) == ("a.py", "m", "BOT_MODEL")


def test_files_that_import_each_other_come_to_an_end():
    files = {
        "a.py": f"from b import MODEL\n{PYTHON.format('MODEL')}",
        "b.py": "from a import MODEL",
    }
    assert model_of(files) == ("a.py", "", "")
    scripts = {
        "a.ts": f"import {{ M }} from './b';\n{SCRIPT.format('M')}",
        "b.ts": "export { M } from './a';",
    }
    assert model_of(scripts) == ("a.ts", "", "")


def test_a_prompt_of_another_file_is_suggested():
    call = "client.messages.create(model='claude-x', system=SYSTEM)"
    files = {
        "a.py": f"from prompts import SYSTEM\n{call}",
        "prompts.py": "SYSTEM = 'Be kind.'",
    }
    assert analyse(files).system_prompt == "Be kind."


@pytest.mark.parametrize(
    ("line", "name", "file", "text"),
    [
        ("import { M } from './config'", "M", "src/config.ts", "export const M = 'm'"),
        ("import { X as M } from './c.js'", "M", "src/c.ts", "export const X = 'm';"),
        ("import * as c from './c'", "c.M", "src/c.mjs", "export const M = 'm';"),
        ("import c from './c'", "c.M", "src/c.js", "export default { M: 'm' };"),
        (
            "import c from './c'",
            "c.M",
            "src/c.js",
            "const o = { M: 'm' }; export default o",
        ),
        ("import { M } from '@/lib/c'", "M", "src/lib/c.ts", "export const M = `m`;"),
        ("import { M } from '../c'", "M", "c/index.ts", "export const M = 'm';"),
        ("const { M } = require('./c')", "M", "src/c.js", "exports.M = 'm';"),
        (
            "const { X: M } = require('./c')",
            "M",
            "src/c.js",
            "module.exports = {X: 'm'}",
        ),
        ("const c = require('./c')", "c.M", "src/c.cjs", "module.exports = {M: 'm'}"),
        (
            "import { MODELS } from './c'",
            "MODELS.chat",
            "src/c.ts",
            "export const MODELS = { chat: 'm' } as const;",
        ),
        # Chosen one by one, without its folder.
        ("import { M } from '../../lib/c'", "M", "c.ts", "export const M = 'm';"),
    ],
)
def test_scripts_find_constants_of_other_files(line, name, file, text):
    files = {"src/agent.ts": f"{line};\n{SCRIPT.format(name)}", file: text}
    assert model_of(files) == ("src/agent.ts", "m", "")


def test_a_client_made_in_another_file_speaks_what_it_speaks_there():
    files = {
        "a.ts": "import { model } from './m';\nawait generateText({ model });",
        "m.ts": "import { createOpenAI } from '@ai-sdk/openai';\n"
        "const openai = createOpenAI({});\nexport const model = openai.chat('gpt-4o');",
    }
    (usage,) = analyse(files).usages
    assert (usage.model, usage.api) == ("gpt-4o", "chat")
