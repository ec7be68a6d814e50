"""One target is asked: where it goes, without what it refuses, as often as needed."""
