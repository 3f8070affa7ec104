"""What a page is sent: nothing when nothing changed, a row when a row changed, the rest only when it must be."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from apps.dashboard.logic.frames import frame, out_of_band, scattered


def panel(rows: list[tuple[int, str]], *, title: str = "Orders") -> str:
    body = "".join(f'<tr id="order-{number}"><td>{text}</td></tr>' for number, text in rows)
    return f'<section class="panel" id="order-panel"><h2>{title}</h2><table><tbody id="order-rows" data-rows>{body}</tbody></table></section>'


def test_frame_when_nothing_is_known_then_everything_is_sent():
    text, _ = frame(None, panel([(1, "a")]))
    assert text.startswith('<section class="panel" hx-swap-oob="true" id="order-panel">')


def test_frame_when_nothing_changed_then_nothing_is_sent():
    _, shown = frame(None, panel([(1, "a")]))
    assert frame(shown, panel([(1, "a")])) == ("", shown)


def test_frame_when_only_an_age_went_on_then_nothing_is_sent():
    _, shown = frame(None, panel([(1, '<time data-age="5">3 s</time>')]))
    text, _ = frame(shown, panel([(1, '<time data-age="5">4 s</time>')]))
    assert text == ""


def test_frame_when_one_row_changed_then_only_that_row_is_sent():
    _, shown = frame(None, panel([(2, "a"), (1, "b")]))
    text, _ = frame(shown, panel([(2, "a"), (1, "c")]))
    assert text == '<template><tr hx-swap-oob="true" id="order-1"><td>c</td></tr></template>'


def test_frame_when_a_row_came_then_the_rows_are_sent_without_what_scrolls():
    _, shown = frame(None, panel([(1, "a")]))
    text, _ = frame(shown, panel([(2, "b"), (1, "a")]))
    assert text.startswith('<template><tbody id="order-rows" hx-swap-oob="innerHTML"><tr id="order-2">')
    assert "<section" not in text


def test_frame_when_a_row_came_and_the_pager_counts_then_the_pager_comes_by_itself():
    def paged(rows: list[tuple[int, str]], count: int) -> str:
        return panel(rows).replace("</section>", f'<nav id="pager" data-part>{count}</nav></section>')

    _, shown = frame(None, paged([(1, "a")], 51))
    text, _ = frame(shown, paged([(2, "b"), (1, "a")], 52))
    assert "<section" not in text
    assert text.endswith('<nav hx-swap-oob="true" id="pager" data-part>52</nav>')


def test_frame_when_the_rest_changed_then_everything_is_sent():
    _, shown = frame(None, panel([(1, "a")]))
    text, _ = frame(shown, panel([(1, "a")], title="More orders"))
    assert text.startswith("<section")


def test_scattered_when_unchanged_then_nothing_is_sent():
    text, shown = scattered(None, '<b id="x" hx-swap-oob="true">1</b>')
    assert text
    assert scattered(shown, text)[0] == ""


def test_out_of_band_keeps_the_other_attributes():
    assert out_of_band('<ul class="feed" id="feed" data-rows></ul>') == (
        '<ul class="feed" hx-swap-oob="true" id="feed" data-rows></ul>'
    )


_ROWS = st.lists(
    st.tuples(st.integers(1, 6), st.sampled_from("abc")), unique_by=lambda row: row[0], max_size=6
)


@given(st.lists(_ROWS, min_size=1, max_size=6))
def test_frames_applied_one_after_the_other_then_page_shows_the_newest(history):
    page: dict[int, str] = {}
    shown = None
    for rows in history:
        text, shown = frame(shown, panel(rows))
        found = {
            int(part.split('"', 1)[0]): part.split("<td>", 1)[1][0]
            for part in text.split('id="order-')[1:]
            if "<td>" in part
        }
        if "<tbody" in text:
            page = found
        else:
            assert found.keys() <= page.keys()
            page |= found
        assert page == dict(rows)
