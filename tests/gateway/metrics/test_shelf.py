"""A host's counters never fall, whoever looks while the dead are summed up."""

from gateway.metrics import shelf as module
from gateway.metrics.counts import Counts
from gateway.metrics.shelf import Shelf


def test_who_reads_while_the_dead_are_summed_up_misses_none(tmp_path, monkeypatch):
    dead, leader = Shelf(tmp_path), Shelf(tmp_path)
    dead.open()
    counts = Counts()
    counts.callers["bot"] = 3
    dead.put(counts.dump())
    dead.close()
    parsed, looked = module._parsed, []

    def slowly(path):
        told = parsed(path)
        looked.append(path.name)
        if looked == [module.GONE]:
            leader.sweep()
        return told

    monkeypatch.setattr(module, "_parsed", slowly)
    told, _ = leader.read()
    assert told.callers == {"bot": 3}
