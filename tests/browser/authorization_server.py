"""A real OAuth2 authorization server (Authlib's), on a replay server's paths.

Grants codes with PKCE to the one client it knows, once somebody presses *Allow*.
https://docs.authlib.org/en/stable/oauth2/authorization-server.html
"""

import json
import secrets
from html import escape
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from authlib.oauth2.rfc6749 import (
    AuthorizationCodeGrant,
    AuthorizationServer,
    ClientMixin,
    OAuth2Request,
)
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc7636 import CodeChallenge

from tests.e2e import dialects
from tests.e2e.replay import Received, Replay, Reply, json_reply

CLIENT_ID = "console"
CLIENT_SECRET = "client-secret-0123456789"
SCOPE = "models.read models.call"


class Client(ClientMixin):
    """The console, as it is registered at this server."""

    def __init__(self) -> None:
        self.redirect_uris: set[str] = set()

    def get_client_id(self) -> str:
        return CLIENT_ID

    def get_default_redirect_uri(self) -> str:
        return next(iter(self.redirect_uris), "")

    def get_allowed_scope(self, scope: str) -> str:
        return " ".join(part for part in scope.split() if part in SCOPE.split())

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri in self.redirect_uris

    def check_client_secret(self, client_secret: str) -> bool:
        return client_secret == CLIENT_SECRET

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == "client_secret_basic"

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code"


class Code(SimpleNamespace):
    """A code as it was given out."""

    def get_redirect_uri(self) -> str:
        return str(self.redirect_uri)

    def get_scope(self) -> str:
        return str(self.scope)


class CodeGrant(AuthorizationCodeGrant):
    """Codes for one use, kept in memory."""

    TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic"]

    def save_authorization_code(self, code: str, request: Any) -> None:
        data = request.payload.data
        self.server.codes[code] = Code(
            code=code,
            redirect_uri=data["redirect_uri"],
            scope=data.get("scope", ""),
            code_challenge=data.get("code_challenge"),
            code_challenge_method=data.get("code_challenge_method"),
        )

    def query_authorization_code(self, code: str, client: Any) -> Code | None:
        return self.server.codes.get(code)

    def delete_authorization_code(self, authorization_code: Code) -> None:
        del self.server.codes[authorization_code.code]

    def authenticate_user(self, authorization_code: Code) -> str:
        return "somebody"


class Asked(OAuth2Request):
    """A request as Authlib reads it; over loopback, so that TLS is pretended."""

    def __init__(self, received: Received) -> None:
        headers = {name.title(): value for name, value in received.headers}
        super().__init__(
            received.method, f"https://loopback{received.target}", None, headers
        )
        self._query = dict(parse_qsl(urlsplit(received.target).query))
        self._posted = dict(parse_qsl(received.body.decode()))
        self.payload = BasicOAuth2Payload({**self._query, **self._posted})

    @property
    def args(self) -> dict[str, str]:
        return self._query

    @property
    def form(self) -> dict[str, str]:
        return self._posted


class Server(AuthorizationServer):
    """Sign-in at /authorize, tokens at /token, and a model behind them at /v1."""

    def __init__(self, replay: Replay, models: list[str]) -> None:
        super().__init__(SCOPE.split())
        self.client = Client()
        self.codes: dict[str, Code] = {}
        self.tokens: set[str] = set()
        self.asked: list[dict[str, str]] = []
        self._models = models
        self.register_grant(CodeGrant, [CodeChallenge(required=True)])
        self.register_token_generator("default", self._new_token)
        replay.route("/sso/authorize", self._authorize)
        replay.route(
            "/sso/token", lambda received: self.create_token_response(received)
        )
        replay.route("/sso/v1/chat/completions", self._chat)

    def _new_token(self, **about: Any) -> dict[str, Any]:
        token = secrets.token_urlsafe(24)
        self.tokens.add(token)
        return {"access_token": token, "token_type": "Bearer", "expires_in": 3600}

    def _authorize(self, received: Received) -> Reply:
        """Ask for consent; with `answer` go back to the console."""
        asked = Asked(received)
        self.asked.append(asked.args)
        grant = self.get_consent_grant(asked)
        if answer := asked.args.get("answer"):
            user = "somebody" if answer == "allow" else None
            reply: Reply = self.create_authorization_response(asked, user, grant)
            return reply
        links = [
            f'<a href="{escape(received.target)}&amp;answer={word.lower()}">{word}</a>'
            for word in ("Allow", "Deny")
        ]
        page = f"<!doctype html><title>Sign in</title>{' '.join(links)}"
        return Reply(200, [page.encode()], {"content-type": "text/html"})

    def _chat(self, received: Received) -> Reply:
        scheme, _space, token = (received.header("authorization") or "").partition(" ")
        if scheme != "Bearer" or token not in self.tokens:
            return json_reply({"error": {"message": "Unknown token."}}, 401)
        return dialects.openai(received)

    # --- what Authlib asks of a framework ---

    def query_client(self, client_id: str) -> Client | None:
        return self.client if client_id == CLIENT_ID else None

    def save_token(self, token: dict[str, Any], request: Any) -> None:
        self.tokens.add(token["access_token"])

    def create_oauth2_request(self, request: Any) -> Asked:
        return request if isinstance(request, Asked) else Asked(request)

    def handle_response(self, status: int, body: Any, headers: Any) -> Reply:
        text = body if isinstance(body, str) else json.dumps(body)
        return Reply(status, [text.encode()], dict(headers))

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Nobody listens."""
