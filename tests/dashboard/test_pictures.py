"""Pictures drawn on the server: inside their box, spoken in words, without styles."""

from __future__ import annotations

import re
from decimal import Decimal
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.dashboard.templatetags import pictures

values = st.lists(
    st.one_of(
        st.none(),
        st.integers(min_value=-(10**24), max_value=10**24),
        st.decimals(min_value=-(10**6), max_value=10**6, places=12),
    ),
    max_size=400,
)


def rects(markup: str, css: str) -> list[tuple[Decimal, Decimal]]:
    found = [node for node in ET.fromstring(markup).iter("rect") if node.get("class") == css]
    return [(Decimal(node.get("x", "0")), Decimal(node.get("width", "0"))) for node in found]


@pytest.mark.parametrize("name", pictures.ICONS)
def test_every_icon_is_well_formed_and_hidden_beside_its_word(name):
    assert ET.fromstring(pictures.icon(name)).get("aria-hidden") == "true"
    assert ET.fromstring(pictures.icon(name, "a word")).get("aria-label") == "a word"


@given(
    st.integers(min_value=-5_000, max_value=20_000),
    st.none() | st.integers(min_value=-5_000, max_value=20_000),
    st.none() | st.integers(min_value=-5_000, max_value=20_000),
    st.none() | st.integers(min_value=-5_000, max_value=20_000),
)
def test_score_and_its_interval_stay_inside_the_bar(score, low, high, threshold):
    markup = pictures.score_bar(score, low, high, threshold_bps=threshold)
    (start, width), (_, filled) = rects(markup, "score-span")[0], rects(markup, "score-fill")[0]
    assert 0 <= start <= filled <= start + width <= 100


def test_score_is_spoken_with_interval_and_threshold_and_rounds_down():
    markup = pictures.score_bar(7_299, 6_050, 8_100, threshold_bps=6_500)
    assert 'aria-label="Score: 72 of 100, likely 60 to 81, needed 65"' in markup
    assert "is-good" in markup
    assert "is-warn" in pictures.score_bar(6_499, threshold_bps=6_500)


@pytest.mark.parametrize("nothing", [None, ""])
def test_unknown_score_gives_its_reason(nothing):
    markup = pictures.score_bar(nothing, reason="nothing <measured>")
    assert 'aria-label="Score: unknown, nothing &lt;measured&gt;"' in markup
    assert "score-fill" not in markup


@given(st.integers(min_value=0, max_value=10**30), st.integers(min_value=1, max_value=10**30))
def test_bar_is_never_longer_than_its_track_and_never_empty_for_something(part, whole):
    markup = pictures.bar(part, whole)
    ((_, filled),) = rects(markup, "bar-fill")
    assert 0 <= filled <= 1_000
    assert (filled == 0) == (part == 0)
    assert ("is-over" in markup) == (part > whole)


def test_bar_of_an_unknown_whole_says_so():
    assert 'aria-label="Exposure: unknown"' in pictures.bar(5, None, label="Exposure")
    assert 'aria-label="Exposure: unknown"' in pictures.bar(5, 0, label="Exposure")


@given(
    st.integers(min_value=0, max_value=10**6),
    st.integers(min_value=0, max_value=10**6),
    st.integers(min_value=1, max_value=10**6),
)
def test_waterfall_bar_stays_inside_the_road(offset, took, total):
    ((start, length),) = rects(pictures.span_bar(offset, took, total), "bar-fill")
    assert 0 <= start < start + length <= 1_000


@given(values, st.none() | st.integers(min_value=-(10**6), max_value=10**6))
def test_sparkline_stays_inside_its_box(series, baseline):
    markup = pictures.sparkline(series, label="Price", baseline=baseline)
    root = ET.fromstring(markup)
    if root.tag == "span":
        assert sum(value is not None for value in series[-pictures.SPARKLINE_POINTS_MAX :]) < 2
        return
    line = next(node for node in root.iter("path") if node.get("class") == "spark-line").get("d", "")
    points = [tuple(map(Decimal, pair)) for pair in re.findall(r"([\d.]+) ([\d.]+)", line)]
    assert len(points) == sum(value is not None for value in series[-pictures.SPARKLINE_POINTS_MAX :])
    assert all(0 <= x <= 120 and 0 <= y <= 28 for x, y in points)
    assert [x for x, _ in points] == sorted(x for x, _ in points)


def test_sparkline_speaks_its_course_and_breaks_at_a_gap():
    markup = pictures.sparkline([1_000_000, None, 2_000_000, 3_000_000], label="Equity", unit="usd_micros")
    assert 'aria-label="Equity: from $1.00 to $3.00, between $1.00 and $3.00"' in markup
    line = next(node for node in ET.fromstring(markup).iter("path") if node.get("class") == "spark-line").get(
        "d", ""
    )
    assert line.count("M") == 2
    assert "is-good" in markup


def test_sparkline_without_data_says_so():
    assert "not enough data yet" in pictures.sparkline([], label="Equity")
    assert "not enough data yet" in pictures.sparkline(None, label="Equity")
