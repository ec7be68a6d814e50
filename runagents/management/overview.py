"""What the command line says of itself: this project's commands first."""

from django.core.management import get_commands, load_command_class

OWN = {
    "Every day": ("serve", "createkey", "providers"),
    "Now and then": (
        "backup",
        "restore",
        "loglevel",
        "moveto",
        "rotatesecrets",
        "createsuperuser",
        "changepassword",
        "migrate",
    ),
}


def overview(program: str) -> str:
    """Return this project's commands with what they do, and the way to the rest.

    `program` is what to type before a command.
    """
    lines = [f"{program} COMMAND [options]; COMMAND --help tells its options."]
    known = get_commands()
    for title, names in OWN.items():
        lines += ["", f"{title}:"]
        for name in names:
            told = str(load_command_class(known[name], name).help)
            lines.append(f"  {name:18}{told.partition('. ')[0].rstrip('.')}.")
    lines += ["", f"Django's own commands: {program} help --commands"]
    return "\n".join(lines)
