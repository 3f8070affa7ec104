"""The window of newest messages: whoever reads it page by page gets everything once, or is told that some is gone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from apps.api.streams_window import Entry, Window


def _entries(positions: list[int]) -> list[Entry]:
    return [Entry(position, "risk_alert", "x" * (position % 7 + 1)) for position in positions]


@given(
    st.lists(st.lists(st.integers(1, 4), max_size=8), max_size=12),
    st.integers(1, 20),
    st.integers(5, 80),
    st.integers(0, 60),
    st.integers(1, 5),
)
def test_window_when_read_in_pages_then_all_after_a_place_once_or_none(
    steps, messages_max, bytes_max, place, limit
):
    window = Window(at=0, messages_max=messages_max, bytes_max=bytes_max)
    log: list[int] = []
    for step in steps:
        own: list[int] = []
        for gap in step:  # lines of other kinds lie between
            own.append((own or [window.last])[-1] + gap)
        window.extend(_entries(own), reached=(own or [window.last])[-1] + 1)
        log += own
        assert len(window) <= messages_max
        assert window.bytes <= bytes_max
        assert window.bytes == sum(len(entry.text) for entry in _entries([p for p in log if p > window.base]))
    found, cursor = [], place
    while (page := window.after(cursor, limit=limit)) is not None:
        assert len(page.entries) <= limit
        found += [entry.position for entry in page.entries]
        assert page.reached >= cursor
        cursor = page.reached
        if cursor >= window.last:
            break
    if place < window.base:
        assert found == []
        assert window.after(place, limit=limit) is None
    else:
        assert found == [position for position in log if position > place]


def test_window_when_read_up_to_a_place_then_nothing_beyond_it():
    window = Window(at=10, messages_max=100, bytes_max=1_000)
    window.extend(_entries([11, 13, 17]), reached=20)
    page = window.after(10, limit=10, until=15)
    assert page is not None
    assert [entry.position for entry in page.entries] == [11, 13]
    assert page.reached == 15
    assert window.after(9, limit=10) is None
