"""Reads a provider object: from RunAgents' shape to the values of the form.

Only shapes are checked here, each mistake told by its path; what the values may be is
the form's to say. By hand, since msgspec's Structs stop at the first mistake, and say
what type was expected rather than what to write: all mistakes are told at once.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from providers.forms import presets
from providers.models import ModelProvider

Auth = ModelProvider.Auth

AUTH_NAMES: dict[str, str] = {
    Auth.API_KEY: "APIKey",
    Auth.AWS_SIGV4: "AWSSignature",
    Auth.OAUTH2: "OAuth2",
    Auth.NONE: "None",
}
AUTH_TYPES = {name.lower(): auth for auth, name in AUTH_NAMES.items()}

# Options that have a column of their own.
COLUMNS = ("private_network", "priority", "enabled")
MODEL_SETTINGS = "models"
"""The option that holds what is special about models, by their ids."""

IGNORED = {"namespace", "status", "apiVersion", "kind", "labels", "metadata"}
SPEC_FIELDS = {"provider", "endpoint", "models", "auth", "rateLimit", "options"}
CONFIG_FIELDS: dict[str, set[str]] = {
    "apiKeyConfig": {"in", "name", "valuePrefix", "secretRef"},
    "awsConfig": {"region", "credentialsSecretRef"},
    "oauth2Config": {
        "authUrl",
        "tokenUrl",
        "scopes",
        "authParams",
        "clientAuth",
        "credentialsSecretRef",
    },
}

QUERY_REFUSED = (
    "a key in the address ends up in logs and caches. Use Header: every supported "
    "provider takes its key there."
)


class ObjectError(ValueError):
    """What is wrong with an object: one sentence each, led by the field's path."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = list(problems)
        super().__init__(" ".join(self.problems))


class Parsed(NamedTuple):
    """An object as form values. `prefix` is what stands before paths: ``spec.``."""

    name: str
    values: dict[str, Any]
    prefix: str


def parse(thing: Any) -> Parsed:
    """Return the form values in a provider object; only those it gives.

    Raises ObjectError that names every field of the wrong shape, and unknown ones.
    """
    if not isinstance(thing, Mapping):
        raise ObjectError(["The model provider must be an object."])
    problems: list[str] = []
    name = thing.get("name")
    if name is None and isinstance(thing.get("metadata"), Mapping):
        name = thing["metadata"].get("name")
    if not isinstance(name, str) or not name:
        problems.append("name: is required.")
        name = ""
    prefix = "spec." if "spec" in thing else ""
    spec = thing.get("spec", thing)
    if not isinstance(spec, Mapping):
        raise ObjectError([*problems, "spec: must be an object."])
    reader = _Reader(prefix, problems)
    outside = {"name", "spec"} | IGNORED
    reader.refuse_unknown(spec, "", SPEC_FIELDS | (outside if not prefix else set()))
    if prefix:
        _Reader("", problems).refuse_unknown(thing, "", outside | SPEC_FIELDS)
    values = reader.values(spec)
    if problems:
        raise ObjectError(problems)
    return Parsed(name, {"name": name, **values}, prefix)


class _Reader:
    """Reads one spec; notes problems by path instead of stopping at the first."""

    def __init__(self, prefix: str, problems: list[str]) -> None:
        self._prefix = prefix
        self._problems = problems

    def values(self, spec: Mapping[str, Any]) -> dict[str, Any]:
        """Return the form values that `spec` gives."""
        values: dict[str, Any] = {}
        if isinstance(spec.get("provider"), str):
            values["provider_type"] = spec["provider"].strip().lower()
        elif "provider" in spec:
            self._note("provider", "must be text.")
        for field in ("endpoint", "models"):
            if field in spec:
                values[field] = spec[field]
        if "endpoint" in spec and not isinstance(spec["endpoint"], str):
            self._note("endpoint", "must be text.")
        if isinstance(values.get("models"), str):
            self._note("models", "must be a list of model ids.")
        if spec.get("auth") is not None:
            self._auth(spec["auth"], values)
        if "rateLimit" in spec:
            limit = self._section(spec, "", "rateLimit", {"requestsPerMinute"})
            self._rate_limit(limit, values)
        if spec.get("options") is not None:
            self._options(spec, values)
        return values

    def refuse_unknown(
        self, section: Mapping[str, Any], path: str, known: set[str]
    ) -> None:
        """Note every field of `section` that is not in `known`."""
        for field in section:
            if field not in known:
                self._note(f"{path}{field}", "is not a field of model providers.")

    def _note(self, path: str, problem: str) -> None:
        self._problems.append(f"{self._prefix}{path}: {problem}")

    def _section(
        self, parent: Mapping[str, Any], path: str, name: str, known: set[str]
    ) -> Mapping[str, Any]:
        section = parent.get(name)
        if section is None:
            return {}
        if not isinstance(section, Mapping):
            self._note(f"{path}{name}", "must be an object.")
            return {}
        self.refuse_unknown(section, f"{path}{name}.", known)
        return section

    def _rate_limit(self, limit: Mapping[str, Any], values: dict[str, Any]) -> None:
        rate = limit.get("requestsPerMinute")
        if rate is not None and (isinstance(rate, bool) or not isinstance(rate, int)):
            self._note("rateLimit.requestsPerMinute", "must be a whole number.")
        # Zero is how RunAgents' objects say "no limit".
        values["requests_per_minute"] = rate or None

    def _options(self, spec: Mapping[str, Any], values: dict[str, Any]) -> None:
        options = spec["options"]
        if not isinstance(options, Mapping):
            self._note("options", "must be an object.")
            return
        for name in COLUMNS:
            if options.get(name) is not None:
                values[name] = options[name]
        if "network_secret" in options:
            self._network_secret(options["network_secret"], values)
        priority = options.get("priority")
        if isinstance(priority, bool) or not isinstance(priority, int | None):
            self._note("options.priority", "must be a whole number.")
        own = {*COLUMNS, MODEL_SETTINGS, "network_secret"}
        values["options"] = {k: value for k, value in options.items() if k not in own}
        if options.get(MODEL_SETTINGS) is not None:
            self._model_settings(options[MODEL_SETTINGS], values)

    def _network_secret(self, name: Any, values: dict[str, Any]) -> None:
        if name is not None and not isinstance(name, str):
            self._note("options.network_secret", "must be the name of a secret.")
            return
        values["network_secret"] = name or ""

    def _model_settings(self, settings: Any, values: dict[str, Any]) -> None:
        """Put what is special about models beside their ids."""
        path = f"options.{MODEL_SETTINGS}"
        if not isinstance(settings, Mapping):
            self._note(path, "must be an object of settings by model id.")
            return
        models = values.get("models")
        models = models if isinstance(models, list) else []
        ids = {each for each in models if isinstance(each, str)}
        for name, each in settings.items():
            if name not in ids:
                self._note(f"{path}.{name}", "is not among the ids in `models`.")
            elif not isinstance(each, Mapping) or "id" in each:
                self._note(f"{path}.{name}", "must be an object of settings.")
        if not models:
            return
        values["models"] = [
            {"id": each, **settings[each]}
            if isinstance(each, str) and isinstance(settings.get(each), Mapping)
            else each
            for each in models
        ]

    def _auth(self, auth: Any, values: dict[str, Any]) -> None:
        if not isinstance(auth, Mapping):
            self._note("auth", "must be an object.")
            return
        self.refuse_unknown(auth, "auth.", {"type", *CONFIG_FIELDS})
        kind = auth.get("type")
        if kind is not None:
            known = AUTH_TYPES.get(kind.lower()) if isinstance(kind, str) else None
            if known is None:
                names = ", ".join(AUTH_NAMES.values())
                self._note("auth.type", f"must be one of {names}.")
            values["auth_type"] = known
        readers: dict[str, Callable[[Mapping[str, Any], dict[str, Any]], None]] = {
            "apiKeyConfig": self._api_key,
            "awsConfig": self._aws,
            "oauth2Config": self._oauth2,
        }
        for name, read in readers.items():
            config = self._section(auth, "auth.", name, CONFIG_FIELDS[name])
            if config:
                read(config, values)

    def _api_key(self, config: Mapping[str, Any], values: dict[str, Any]) -> None:
        place = config.get("in")
        if place is not None and str(place).lower() != "header":
            problem = "must be Header."
            if str(place).lower() == "query":
                problem = f"Query is not supported: {QUERY_REFUSED}"
            self._note("auth.apiKeyConfig.in", problem)
        self._texts(
            "auth.apiKeyConfig",
            config,
            values,
            {"name": "header_name", "valuePrefix": "value_prefix"},
        )
        if "header_name" in values and "value_prefix" not in values:
            values["value_prefix"] = self._usual_prefix(values)
        self._secret("auth.apiKeyConfig.secretRef", config.get("secretRef"), values)

    def _usual_prefix(self, values: dict[str, Any]) -> str:
        """Return the prefix that goes with the header where none is given."""
        usual = presets.initial(values.get("provider_type", ""))
        same = usual.get("header_name", "").lower() == values["header_name"].lower()
        return usual.get("value_prefix", "") if same else ""

    def _aws(self, config: Mapping[str, Any], values: dict[str, Any]) -> None:
        self._texts("auth.awsConfig", config, values, {"region": "region"})
        path = "auth.awsConfig.credentialsSecretRef"
        self._secret(path, config.get("credentialsSecretRef"), values)

    def _oauth2(self, config: Mapping[str, Any], values: dict[str, Any]) -> None:
        self._texts(
            "auth.oauth2Config",
            config,
            values,
            {
                "authUrl": "authorization_url",
                "tokenUrl": "token_url",
                "clientAuth": "client_auth",
            },
        )
        scopes = config.get("scopes")
        if isinstance(scopes, list) and all(isinstance(x, str) for x in scopes):
            values["scopes"] = " ".join(scopes)
        elif isinstance(scopes, str):
            values["scopes"] = scopes
        elif scopes is not None:
            self._note("auth.oauth2Config.scopes", "must be a list of texts.")
        if config.get("authParams") is not None:
            values["token_params"] = config["authParams"]
        path = "auth.oauth2Config.credentialsSecretRef"
        self._secret(path, config.get("credentialsSecretRef"), values)

    def _texts(
        self,
        path: str,
        config: Mapping[str, Any],
        values: dict[str, Any],
        fields: Mapping[str, str],
    ) -> None:
        for name, field in fields.items():
            value = config.get(name)
            if value is not None and not isinstance(value, str):
                self._note(f"{path}.{name}", "must be text.")
            elif value is not None:
                values[field] = value

    def _secret(self, path: str, reference: Any, values: dict[str, Any]) -> None:
        if reference is None:
            return
        name = reference.get("name") if isinstance(reference, Mapping) else None
        if not isinstance(name, str) or not name:
            self._note(path, 'must be {"name": "<a stored secret>"}.')
            return
        values["secret"] = name
