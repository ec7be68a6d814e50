"""Code to copy: how to call the gateway, with its real address and a real model."""

import json
import shlex

from django.conf import settings
from django.http import HttpRequest

from providers.models import ModelProvider

KEY_PLACEHOLDER = "YOUR_AGENT_KEY"


def base_url(request: HttpRequest) -> str:
    """Return the server's address as agents and browsers should use it."""
    public: str = settings.PUBLIC_URL
    return public or f"{request.scheme}://{request.get_host()}"


def examples(base: str, model: str, key: str = KEY_PLACEHOLDER) -> dict[str, str]:
    """Return the same call as curl, Python, OpenAI's SDK and environment variables.

    Quoted so that a model id of any characters stays a model id.
    """
    body = {"model": model, "messages": [{"role": "user", "content": "Hello"}]}
    quoted = json.dumps(model)
    return {
        "curl": f"""\
curl {base}/v1/chat/completions \\
  -H "Content-Type: application/json" \\
  -H "Authorization: Bearer {key}" \\
  -d {shlex.quote(json.dumps(body))}
""",
        "python": f'''\
import json
import urllib.request

body = {{
    "model": {quoted},
    "messages": [{{"role": "user", "content": "Hello"}}],
}}
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
    model={quoted},
    messages=[{{"role": "user", "content": "Hello"}}],
)
print(answer.choices[0].message.content)
''',
        "env": f"""\
LLM_GATEWAY_URL={base}/v1/chat/completions
LLM_MODEL={shlex.quote(model)}
OPENAI_BASE_URL={base}/v1
OPENAI_API_KEY={key}
""",
    }


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
