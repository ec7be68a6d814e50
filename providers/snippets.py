"""Code to copy: how to call the gateway, with its real address and a real model."""

import json
import shlex
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _

from providers.keys import PLATFORM_MANAGED
from providers.models import ModelProvider

KEY_PLACEHOLDER = "YOUR_AGENT_KEY"
# What is longer is shown on several lines.
LINE = 88


def base_url(request: HttpRequest) -> str:
    """Return the server's address as agents and browsers should use it."""
    public: str = settings.PUBLIC_URL
    return public or f"{request.scheme}://{request.get_host()}"


def needs_no_key() -> bool:
    """Tell whether programs on this machine may call without a key."""
    return bool(settings.GATEWAY_TRUSTED_NETWORKS) and not settings.PUBLIC_URL


def examples(base: str, model: str, key: str = "") -> dict[str, str]:
    """Return a first call as curl, Python, OpenAI's SDK and environment variables.

    Quoted so that a model id of any characters stays a model id. Without a `key` there
    is a note on what stands in its place.
    """
    told = note(key)
    key = key or placeholder()
    body = {"model": model, "messages": [{"role": "user", "content": "Hello"}]}
    return {
        **of_request(base, body, key),
        "env": f"""\
LLM_GATEWAY_URL={base}/v1/chat/completions
LLM_MODEL={shlex.quote(model)}
OPENAI_BASE_URL={base}/v1
OPENAI_API_KEY={key}
""",
        "note": told,
        "model": model,
    }


def placeholder() -> str:
    """Return what stands for a key: something that works, where there is such."""
    return PLATFORM_MANAGED if needs_no_key() else KEY_PLACEHOLDER


def note(key: str = "") -> str:
    """Return what to put in the placeholder's place; nothing where a key stands."""
    if key:
        return ""
    if needs_no_key():
        return _(
            "Put an agent's key where it says platform-managed; on this machine it "
            "also works as it stands."
        )
    return _("Put an agent's key where it says YOUR_AGENT_KEY.")


def of_request(base: str, body: dict[str, Any], key: str = "") -> dict[str, str]:
    """Return a chat request as curl, Python and OpenAI's SDK.

    No value of `body` may be a boolean or null: its JSON is taken for Python.
    """
    key = key or placeholder()
    text = json.dumps(body, ensure_ascii=False)
    if len(text) > LINE:
        text = json.dumps(body, indent=2, ensure_ascii=False)
    items = "".join(f'    "{n}": {_literal(v)},\n' for n, v in body.items())
    arguments = "".join(f"    {n}={_literal(v)},\n" for n, v in body.items())
    return {
        "curl": f"""\
curl {base}/v1/chat/completions \\
  -H "Content-Type: application/json" \\
  -H "Authorization: Bearer {key}" \\
  -d {shlex.quote(text)}
""",
        "python": f'''\
import json
import urllib.request

body = {{
{items}}}
request = urllib.request.Request(
    "{base}/v1/chat/completions",
    data=json.dumps(body).encode(),
    headers={{
        "Content-Type": "application/json",
        "Authorization": "Bearer {key}",
    }},
)
with urllib.request.urlopen(request) as response:
    answer = json.loads(response.read())
    print(answer["choices"][0]["message"]["content"])
''',
        "sdk": f'''\
from openai import OpenAI

client = OpenAI(base_url="{base}/v1", api_key="{key}")
answer = client.chat.completions.create(
{arguments})
print(answer.choices[0].message.content)
''',
    }


def _literal(value: object) -> str:
    """Return a value as Python source, on one line if it is short."""
    text = json.dumps(value, ensure_ascii=False)
    if len(text) <= LINE:
        return text
    return json.dumps(value, indent=4, ensure_ascii=False).replace("\n", "\n    ")


def check_curl(provider: ModelProvider, request: str) -> str:
    """Return a check's request (``GET URL``) as curl, the key as ``$API_KEY``.

    Empty where curl alone cannot authenticate.
    """
    url = request.partition(" ")[2]
    if not url:
        return ""
    match provider.auth_type:
        case ModelProvider.Auth.API_KEY:
            header = shlex.quote(f"{provider.header_name}: {provider.value_prefix}")
            return f'curl -sS -i {shlex.quote(url)} -H {header}"$API_KEY"'
        case ModelProvider.Auth.NONE:
            return f"curl -sS -i {shlex.quote(url)}"
    return ""
