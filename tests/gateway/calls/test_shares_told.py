"""What pages say of a shared model is what the gateway does."""

from collections import Counter

import pytest

from gateway.calls import router
from gateway.errors import GatewayError
from gateway.worker.registry import registry
from gateway.worker.snapshot import LOCAL
from providers.models import sharing

MODEL = "gpt-4o-mini"
PORTS = {"one": 9, "two": 10, "three": 11}


def asked() -> set[str]:
    """Who is asked first, over many conversations."""
    try:
        found = router.find(registry.snapshot, MODEL, LOCAL)
    except GatewayError:
        return set()
    firsts = (router.spread(found, b"%d" % n)[0] for n in range(200))
    return set(Counter(target.provider.name for target in firsts))


@pytest.mark.parametrize(
    ("providers", "said"),
    [
        ({"one": (100, None)}, {"one": ""}),
        ({"one": (100, 0)}, {"one": "weight 0"}),
        ({"one": (100, 5)}, {"one": ""}),
        (
            {"one": (100, None), "two": (100, None)},
            {"one": "shared, wins", "two": "shared → one"},
        ),
        (
            {"one": (100, None), "two": (50, None)},
            {"one": "shared → two", "two": "shared, wins"},
        ),
        (
            {"one": (100, 3), "two": (100, None)},
            {"one": "shared, 3 of 4", "two": "shared, 1 of 4"},
        ),
        (
            {"one": (100, 3), "two": (100, 2), "three": (200, 9)},
            {"one": "shared, 3 of 5", "three": "shared → 2 others"},
        ),
        (
            {"one": (100, 0), "two": (100, 2)},
            {"one": "shared → two", "two": "shared, wins"},
        ),
        ({"one": (100, 0), "two": (100, 0)}, {"one": "weight 0", "two": "weight 0"}),
    ],
)
def test_chips_say_who_is_asked(provider, gateway, providers, said):
    for name, (priority, weight) in providers.items():
        options = {} if weight is None else {"weight": weight}
        endpoint = f"http://127.0.0.1:{PORTS[name]}"
        provider(name, endpoint=endpoint, priority=priority, options=options)
    gateway()
    serving = sharing.serving([MODEL])[MODEL]
    for name, label in said.items():
        assert sharing.told(serving, name).label == label
    asked_for = asked()
    for name in providers:
        label = sharing.told(serving, name).label
        is_asked = label in ("", "shared, wins") or " of " in label
        assert (name in asked_for) is is_asked
