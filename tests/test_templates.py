"""Templates are read by people as well: no line of theirs is long."""

from tests.e2e.processes import ROOT

TEMPLATES = ROOT / "templates"
WIDTH = 120


def test_no_line_of_a_template_is_long():
    long = [
        f"{path.relative_to(ROOT)}:{number} has {len(line)} characters"
        for path in sorted(TEMPLATES.rglob("*.html"))
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if len(line) > WIDTH
    ]
    assert not long, "\n".join(long)
