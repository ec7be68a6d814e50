"""One sets up at a time; whoever comes meanwhile is told and waits."""

import threading

from runagents.management import turns


def test_a_second_one_is_told_and_has_its_turn_afterwards(db, settings, tmp_path):
    settings.DATA_DIR = tmp_path
    came: list[str] = []
    asked = threading.Event()

    def second() -> None:
        def told() -> None:
            came.append("told")
            asked.set()

        with turns.turn(wait=told):
            came.append("second")

    other = threading.Thread(target=second)
    with turns.turn(wait=asked.set):
        other.start()
        assert asked.wait(60)
        came.append("first is over")
    other.join(60)
    assert came == ["told", "first is over", "second"]


def test_a_turn_that_fails_is_over(db, settings, tmp_path):
    settings.DATA_DIR = tmp_path
    waited: list[str] = []
    for _ in range(2):
        try:
            with turns.turn(wait=lambda: waited.append("waited")):
                raise LookupError
        except LookupError:
            pass
    assert waited == []
