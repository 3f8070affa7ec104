"""The template filters and tags: true figures, exact titles, harmless names, no colour without a word."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import get_args

import pytest
from django.template import Context, Template
from hypothesis import given
from hypothesis import strategies as st

from apps.dashboard.templatetags import units
from apps.domain import estimate
from apps.domain.decision import ExitTag, SkipStage
from apps.domain.engine import EngineStatus
from apps.domain.errors import Category
from apps.domain.events import EventKind
from apps.domain.ids import ChainKey
from apps.domain.money import Amount, Token
from apps.domain.order import OrderStatus
from apps.domain.verdict import Outcome

NOW = datetime(2026, 11, 24, 7, 0, 0, tzinfo=UTC)
FILTERS = (
    units.raw_amount,
    units.usd_micros,
    units.usd_micros_signed,
    units.usd_micros_compact,
    units.price,
    units.bps,
    units.bps_signed,
    units.count,
    units.ms,
    units.duration,
)


def render(source: str, **context: object) -> str:
    return Template("{% load units pictures %}" + source).render(Context(context))


def words(markup: str) -> str:
    return re.sub(r"<[^>]*>", "", markup)


# -- unknown ------------------------------------------------------------------------------


@pytest.mark.parametrize("show", FILTERS)
@pytest.mark.parametrize("nothing", [None, "", Decimal("NaN"), Decimal("Infinity")])
def test_what_is_not_known_reads_unknown_and_never_zero(show, nothing):
    assert words(show(nothing)) == "unknown"


@pytest.mark.parametrize("show", [units.age, units.ago, units.clock, units.short_address, units.chain_badge])
def test_unknown_moments_and_names_read_unknown(show):
    assert words(show(None)) == "unknown"


def test_a_missing_template_variable_reads_unknown():
    assert words(render("{{ pair.price|price }}")) == "unknown"


def test_unknown_tells_its_reason_to_pointers_and_screen_readers():
    shown = render("{{ tax|bps|because:why }}", tax=None, why="the <call> reverted")
    assert words(shown) == "unknown: the &lt;call&gt; reverted"
    assert 'title="the &lt;call&gt; reverted"' in shown


def test_because_leaves_a_known_value_alone():
    assert words(render("{{ tax|bps|because:why }}", tax=125, why="no reason")) == "1.25%"


@pytest.mark.parametrize("show", FILTERS)
@pytest.mark.parametrize("wrong", [1.5, True, "12"])
def test_floats_and_text_are_refused(show, wrong):
    with pytest.raises(TypeError):
        show(wrong)


# -- amounts ------------------------------------------------------------------------------


def test_amount_shows_six_digits_with_its_symbol_and_every_digit_in_the_title():
    shown = render("{% amount raw 18 'WETH' %}", raw=1_234_567_891_234_567_891)
    assert words(shown) == "1.23457WETH"
    assert 'title="1.234567891234567891 WETH"' in shown


def test_amount_takes_a_domain_amount():
    token = Token(ChainKey("eip155:8453"), "0x01", "PEPE", 9)
    assert words(units.amount(Amount(1_500_000_000, token))) == "1.5PEPE"


def test_amount_without_decimals_is_unknown_with_its_reason():
    assert words(units.amount(5, None, "X")) == "unknown: decimals are unknown"


def test_raw_amount_filter_takes_decimals():
    assert words(render("{{ raw|raw_amount:6 }}", raw=1_234_500_000)) == "1,234.5"


@pytest.mark.parametrize(
    ("value", "css", "text"),
    [(5_000_000, "up", "+$5.00"), (-5_000_000, "down", "−$5.00"), (0, "flat", "$0.00")],
)
def test_gain_and_loss_have_a_sign_besides_their_colour(value, css, text):
    shown = units.usd_micros_signed(value)
    assert words(shown) == text
    assert f'class="num {css}"' in shown


def test_price_in_dollars_and_in_a_token():
    assert words(units.price(Decimal("0.000001234"), "USD")) == "$0.0₅1234"
    assert words(units.price(Decimal("-2.5"), "USD")) == "−$2.5"
    assert words(units.price(Decimal("0.5"), "WETH")) == "0.5WETH"


def test_share_of_nothing_is_unknown():
    assert words(units.share(1, 0)) == "unknown: there is nothing to compare with"
    assert words(units.share(1, 3)) == "33.3%"
    assert words(units.share(None, 3)) == "unknown"


@pytest.mark.parametrize(
    ("unit", "value", "text"),
    [
        ("bps", 250, "2.50%"),
        ("usd_micros", 1_500_000, "$1.50"),
        ("count", 12, "12"),
        ("s", 75, "1 min 15 s"),
        ("bool", True, "yes"),
        ("raw", 1_500, "1.5"),
    ],
)
def test_estimate_is_shown_by_its_own_unit(unit, value, text):
    known = estimate.known("x", value, unit=unit, source="rpc", as_of_ms=0)
    assert words(units.estimate(known, 3)) == text


def test_estimate_shows_its_interval_and_what_it_rests_on():
    known = estimate.known("x", 250, low=200, high=300, n=4, unit="bps", source="simulation", as_of_ms=0)
    shown = units.estimate(known)
    assert words(shown) == "2.50% 2.00% – 3.00%"
    assert 'title="from simulation, 4 observations, confidence 100.00%"' in shown


def test_unknown_estimate_gives_its_reason():
    missing = estimate.unknown("x", "no holder list", unit="bps", source="rpc", as_of_ms=0)
    assert words(units.estimate(missing)) == "unknown: no holder list"
    assert words(units.estimate(None)) == "unknown: this was not measured"


# -- times ----------------------------------------------------------------------------------


def test_age_takes_a_datetime_or_epoch_milliseconds_and_can_tick():
    at = NOW - timedelta(seconds=75, milliseconds=250)
    for moment in (at, int(at.timestamp() * 1000)):
        shown = units.age(moment, NOW)
        assert words(shown) == "1 min 15 s"
        assert f'data-age="{int(at.timestamp() * 1000)}"' in shown
        assert 'datetime="2026-11-24T06:58:44.750Z"' in shown
        assert 'title="2026-11-24 06:58:44.750 UTC"' in shown


def test_ago_and_what_is_still_to_come():
    assert words(units.ago(NOW - timedelta(seconds=3), NOW)) == "3 s ago"
    assert words(units.age(NOW + timedelta(seconds=30), NOW)) == "in 30 s"


def test_clock_shows_utc_with_milliseconds_or_the_day():
    at = NOW + timedelta(milliseconds=7)
    assert words(units.clock(at)) == "07:00:00"
    assert words(units.clock(at, "ms")) == "07:00:00.007"
    assert words(units.clock(at, "day")) == "2026-11-24 07:00"


@pytest.mark.parametrize("wrong", [1.5, "yesterday", datetime(2026, 1, 1)])  # noqa: DTZ001
def test_naive_and_inexact_moments_are_refused(wrong):
    with pytest.raises(TypeError):
        units.age(wrong)


@given(st.integers(min_value=0, max_value=4_000_000_000_000), st.integers(min_value=0, max_value=10**12))
def test_age_is_never_negative_for_the_past(at_ms, later_ms):
    text = words(units.age(at_ms, at_ms + later_ms))
    assert not text.startswith(("in", "−"))


# -- names and addresses ----------------------------------------------------------------------


@given(st.text(alphabet=st.characters(), max_size=80))
def test_no_name_brings_markup_or_direction_changes_into_the_page(text):
    for show in (units.token_symbol, units.token_name, units.short_address, units.chain_badge):
        shown = show(text + "<script>alert(1)</script>\u202e")
        assert "<script" not in shown
        assert "\u202e" not in words(shown)


def test_hostile_symbol_is_isolated_and_marked_with_words():
    shown = units.token_symbol("USD\u202eC")
    assert "<bdi" in shown
    assert words(shown) == "USDCCareful: this name had hidden or direction-changing characters"


def test_empty_symbol_is_unnamed():
    assert words(units.token_symbol("\n\u200b")).startswith("unnamed")


def test_ten_kilobyte_symbol_stays_small():
    assert len(units.token_symbol("A" * 10_000)) < 500


def test_missing_symbol_is_unknown():
    assert words(units.token_symbol(None)) == "unknown: the token gave no name"


def test_short_address_keeps_both_ends_and_the_whole_in_the_title():
    whole = "0x52908400098527886E0F7030069857D2E4169EE7"
    shown = units.short_address(whole)
    assert words(shown) == "0x5290…9EE7"
    assert f'title="{whole}"' in shown
    assert words(units.short_address("So11111111111111111111111111111111111111112")) == "So11…1112"
    assert words(units.short_address("native")) == "native"


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "//evil.example/",
        "data:text/html,x",
        "JAVASCRIPT:alert(1)",
        "http://evil.example",
    ],
)
def test_address_links_nowhere_dangerous(url):
    assert "href" not in units.address("0x1234567890abcdef", url=url)


def test_address_links_to_explorers_and_own_pages_and_can_be_copied():
    outside = units.address("0x1234567890abcdef", url="https://basescan.org/address/0x1")
    assert 'rel="noopener noreferrer"' in outside
    assert 'data-copy="0x1234567890abcdef"' in outside
    assert 'aria-label="Copy address 0x1234…cdef"' in outside
    assert 'href="/pairs/7/"' in units.address("0x1234567890abcdef", url="/pairs/7/")


# -- badges -----------------------------------------------------------------------------------

ALL_STATES = [
    *OrderStatus,
    *Outcome,
    *EngineStatus,
    *EventKind,
    *Category,
    *SkipStage,
    "buy",
    "sell",
    "enter",
    "exit",
    "skip",
    *get_args(ExitTag),
]


@pytest.mark.parametrize("state", ALL_STATES, ids=str)
def test_every_state_of_the_domain_has_its_own_word_and_sign(state):
    key = units._state_key(state)
    assert key in units._STATES
    shown = units.status_badge(state)
    assert "<svg" in shown
    assert words(shown)
    assert units.state_word(state) in units.sign(state)


def test_a_state_nobody_foresaw_is_shown_plainly():
    assert words(units.status_badge("half_done<b>")) == "Half done&lt;b&gt;"
    assert words(units.status_badge(None)) == "Unknown"
    assert words(render("{% status_badge 'open' 'Holding' %}")) == "Holding"


def test_chain_badge_takes_a_name_or_a_chain_row():
    assert "chain-base" in units.chain_badge("Base")
    assert "chain-bsc" in units.chain_badge(SimpleNamespace(name="Sandbox two", profile="bsc"))
    assert "chain-other" in units.chain_badge("Somewhere")


# -- heads of chains --------------------------------------------------------------------------


def head(**changes: object) -> str:
    now_ms = 1_000_000
    chain = {"name": "Base", "head_at_ms": now_ms - 800, "stale_after_ms": 8_000, "reason": ""} | changes
    return units.chain_head(SimpleNamespace(**chain), now_ms)


def test_chain_head_tells_fresh_from_stale_and_unknown():
    assert 'class="is-good"' in head()
    assert 'aria-label="Base: newest block is fresh"' in head()
    stale = head(head_at_ms=1_000_000 - 31_000)
    assert 'class="is-warn"' in stale
    assert words(stale) == "Base31 s"
    unknown = head(head_at_ms=None, reason="endpoint refuses")
    assert 'class="is-unknown"' in unknown
    assert 'aria-label="Base: endpoint refuses"' in unknown


def test_a_head_from_the_future_is_zero_seconds_old():
    assert words(head(head_at_ms=1_000_500)) == "Base0 s"
