"""Members of an object: where they stand, and how one is changed and no other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.wire.jsontext import decode, encode
from gateway.wire.members import members_of, rewritten


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b"{}", {}),
        (b'{"a":1,"b":2}', {"a": b"1", "b": b"2"}),
        (b' {\n "a" : {"b": 1} ,\t"b":"x\\"y" } ', {"a": b'{"b": 1}', "b": b'"x\\"y"'}),
        (b'{"a":1,"a":2}', None),
        (b'{"a":1,"b":1,"a":1}', None),
        (b'{"a":"b\\",","a":"b\\","}', None),
        # As many characters further another member seems to stand.
        (b'{"a":1,"b":12,"a":{"q":0,      "b":0}}', None),
        (b'{"\\u0061":1}', None),
        (b"[]", None),
        (b'{"a":1', None),
    ],
)
def test_members_are_found_where_each_stands_once(text, found):
    members = members_of(text)
    values = (
        None if members is None else {k: text[s:e] for k, (s, e) in members.items()}
    )
    assert values == found


FLAT = st.dictionaries(st.text(), st.integers() | st.text() | st.lists(st.booleans()))


@given(FLAT, FLAT, st.sets(st.text()))
def test_what_is_rewritten_means_what_is_encoded(before, changes, gone):
    text = encode(before)
    members = members_of(text) or {}
    after = {key: value for key, value in (before | changes).items() if key not in gone}
    assert decode(rewritten(text, members, before, after)) == after


def test_what_is_not_changed_keeps_its_spelling():
    text = b'{"a": 1.0, "b": [ 1e2 ], "c": 3}'
    before = decode(text)
    after = {**before, "c": 4, "d": 5}
    members = members_of(text)
    assert members is not None
    assert (
        rewritten(text, members, before, after) == b'{"a":1.0,"b":[ 1e2 ],"c":4,"d":5}'
    )
