"""The Hello World agent: asks the echo tool and the language model one thing each.

It needs Python and the environment that the agent's page in the console shows, nothing
else; copy the file anywhere and run it. It holds no provider's address or credentials.
"""
# ruff: noqa: T201  an agent's output is what it prints

import json
import os
import sys
import time
import urllib.error
import urllib.request
from typing import Any

QUESTION = "Summarize what RunAgents does in one sentence."
TIMEOUT = 60
# A key just made is known to every worker within two seconds.
PATIENCE = 5.0


class Failure(Exception):
    """Something that went wrong, in a sentence for whoever runs the agent."""


def setting(name: str) -> str:
    """Return a variable of the environment; raises Failure that names it."""
    value = os.environ.get(name, "")
    if not value:
        raise Failure(f"{name} is not set. Copy it from the agent's page.")
    return value


def post(url: str, body: dict[str, Any], patience: float) -> dict[str, Any]:
    """Return the JSON object that `url` answers to `body`; raises Failure."""
    headers = {"Content-Type": "application/json"}
    key = os.environ.get("OPENAI_API_KEY", "")
    if key and key != "platform-managed":
        headers["Authorization"] = f"Bearer {key}"
    request = urllib.request.Request(  # noqa: S310  the operator's own address
        url, data=json.dumps(body).encode(), headers=headers
    )
    deadline = time.monotonic() + patience
    while True:
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as response:  # noqa: S310
                answer = json.loads(response.read())
        except urllib.error.HTTPError as error:
            if error.code == 401 and time.monotonic() < deadline:
                time.sleep(0.25)
                continue
            raise Failure(f"{url} answered {error.code}: {reason(error)}") from None
        except OSError as error:
            raise Failure(f"{url} cannot be reached: {error}") from None
        except ValueError:
            raise Failure(f"{url} did not answer with JSON.") from None
        if not isinstance(answer, dict):
            raise Failure(f"{url} did not answer with a JSON object.")
        return answer


def reason(error: urllib.error.HTTPError) -> str:
    """Return the message in an error's body, whatever its shape."""
    text = error.read(4096).decode(errors="replace")
    try:
        found = json.loads(text)["error"]
    except (ValueError, KeyError, TypeError):
        return text[:300] or str(error.reason)
    return str(found.get("message", found) if isinstance(found, dict) else found)


def call_echo_tool(message: str, patience: float) -> str:
    """Return what the echo tool replies to `message`."""
    url = setting("TOOL_URL_ECHO_TOOL")
    answer = post(f"{url}/echo", {"message": message}, patience)
    return str(answer.get("reply", answer))


def ask_model(question: str, patience: float) -> str:
    """Return the model's answer, by way of the gateway."""
    messages = [
        {
            "role": "system",
            "content": os.environ.get("SYSTEM_PROMPT", "You are a helpful assistant."),
        },
        {"role": "user", "content": question},
    ]
    body = {"model": setting("LLM_MODEL"), "messages": messages}
    answer = post(setting("LLM_GATEWAY_URL"), body, patience)
    try:
        return str(answer["choices"][0]["message"]["content"])
    except (LookupError, TypeError):
        raise Failure("The gateway's answer holds no message.") from None


def main(patience: float = PATIENCE) -> int:
    """Run once and return the exit code: 0, or 1 with the reason on standard error."""
    try:
        reply = call_echo_tool("Hello from my first agent!", patience)
        print(f"Echo tool replied: {reply}", flush=True)
        answer = ask_model(QUESTION, patience)
        print(f"Model replied: {answer}", flush=True)
    except Failure as failure:
        print(f"Failed: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
