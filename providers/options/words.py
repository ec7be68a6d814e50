"""A provider's options as its page tells them: by the form's labels, in words."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from providers.network import certificates
from providers.options.kinds import Certificates, Flag, Headers, Kind, Texts, Timeouts
from providers.options.table import OPTIONS, TIMEOUTS


def told(options: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """Return what each option is called and the lines that say its value.

    One that no table knows, such as a later version's, is told as it is stored.
    """
    return [
        (str(OPTIONS[name].label), _lines(OPTIONS[name].kind, value))
        if name in OPTIONS
        else (name, [str(value)])
        for name, value in options.items()
    ]


def _lines(kind: Kind, value: Any) -> list[str]:
    match kind:
        case Flag():
            return [_("On") if value else _("Off")]
        case Certificates():
            return [certificates.outline(value) or _("It cannot be read.")]
        case Headers():
            return [f"{name}: {text}" for name, text in value.items()]
        case Timeouts():
            return [f"{TIMEOUTS.get(name, name)}: {value[name]:g} s" for name in value]
        case Texts():
            return [", ".join(value)]
        case _:
            return [str(value)]
