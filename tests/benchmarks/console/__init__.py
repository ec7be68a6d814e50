"""The console of a large installation: how long its pages take."""

AGENT = "agent"


def provider_name(number: int) -> str:
    """Return the name of a provider of the crowd."""
    return f"provider-{number:04}"


def agent_name(number: int) -> str:
    """Return the name of an agent of the crowd."""
    return f"agent-{number:03}"


def model_id(provider: int, place: int) -> str:
    """Return the id of a model of a provider of the crowd."""
    return f"vendor/model-{provider}-{place}-2026-11-01"
