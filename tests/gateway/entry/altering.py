"""Texts in which something else stands here and there."""

from hypothesis import strategies as st


@st.composite
def altered(
    draw: st.DrawFn, text: bytes, tricks: st.SearchStrategy[bytes], *, most: int
) -> bytes:
    """Return `text` with one of `tricks`, or any bytes, in up to `most` places."""
    for _ in range(draw(st.integers(0, most))):
        start = draw(st.integers(0, len(text)))
        end = start + draw(st.integers(0, 2))
        text = text[:start] + draw(tricks | st.binary(max_size=3)) + text[end:]
    return text
