"""Which requests of the Messages API go to Bedrock past the hub."""

from gateway.hub.protocol import JSON, Route
from gateway.translators.bedrock.api import choose_api
from gateway.translators.bedrock.ids import classify
from gateway.translators.bedrock.messages.body.adaptation import needs_emulation
from gateway.translators.bedrock.messages.body.model import hosted

HUB = "hub"


def way_of(body: JSON, route: Route) -> tuple[str, Route]:
    """Return the API by which Claude is asked, or `HUB`, and a route that knows it.

    Over the hub go other models, and what Claude must be brought to by other means.
    Raises a 400 for a model id that does not fit the provider.
    """
    model = classify(route.upstream_model, route.base_model, route.region)
    if model.family != "claude":
        return HUB, route
    based = route._replace(base_model=model.base)
    if needs_emulation(body, hosted(based)):
        return HUB, route
    return choose_api(body, route, model), based


def is_claude(route: Route) -> bool:
    """Tell whether the model of `route` is a Claude."""
    model = classify(route.upstream_model, route.base_model, route.region)
    return model.family == "claude"
