"""What is said: nothing that a stranger wrote formats, links, mentions or breaks out of its place."""

from __future__ import annotations

import html
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.alerts.logic.notices import (
    DISCORD_LENGTH_MAX,
    Notice,
    discord_markdown,
    headline,
    mail,
    telegram_html,
    together,
    webhook_fields,
)
from apps.alerts.logic.pace import BACKOFF_S, TRIES_MAX, Waiting, next_try_s, tellings

HOSTILE = (
    "<b>CAT</b> & <a href='https://evil.example'>claim</a> @everyone t.me/scam free-eth.com **x** `y`"
    " [z](http://evil) \u202egnp\r\nBcc: thief@example.org"
)


def notice(text: str = HOSTILE, **changes: object) -> Notice:
    fields = {
        "kind": "raised",
        "rule": "whale",
        "severity": "info",
        "title": text,
        "text": text,
        "remedy": text,
        "link": "http://127.0.0.1:8001/alerts/3/",
        "at_ms": 1_767_225_600_000,
        "mode": "sandbox",
        "number": 5,
    }
    return Notice(**(fields | changes))  # type: ignore[arg-type]


def test_telegram_when_the_words_are_hostile_then_escaped_and_unlinked():
    text = telegram_html(notice())
    assert set(re.findall(r"<[^>]*>", text)) == {"<b>", "</b>", "<i>", "</i>"}
    shown = html.unescape(re.sub(r"<[^>]*>", "", text))
    assert "\u202e" not in shown
    for linking in ("t.me/scam", "https://evil", "@everyone", "free-eth.com"):
        assert linking not in shown, linking
    assert shown.startswith("🔵 [SANDBOX] ")


def test_discord_when_the_words_are_hostile_then_escaped_and_unlinked():
    text = discord_markdown(notice())
    for linking in ("@everyone", "https://evil", "t.me/scam", "](http"):
        assert linking not in text, linking
    assert r"\*\*x\*\*" in text
    assert r"\`y\`" in text


def test_mail_when_the_words_are_hostile_then_its_subject_is_one_line():
    written = mail(notice())
    assert "\n" not in written.subject
    assert "\r" not in written.subject
    assert all(not line.startswith("Bcc:") for line in written.body.splitlines())


@given(st.text(max_size=3_000))
def test_any_words_then_no_message_is_too_long_and_json_holds_them(text: str):
    said = notice(text)
    assert len(html.unescape(re.sub(r"<[^>]*>", "", telegram_html(said)))) <= 4_096
    assert len(discord_markdown(said)) <= DISCORD_LENGTH_MAX + 1
    assert json.loads(json.dumps(webhook_fields(said)))["id"] == 5


def test_command_in_a_remedy_then_it_can_be_copied_as_it_stands():
    assert "'manage.py doctor'" in mail(notice("Say 'manage.py doctor'.")).body


def test_headline_says_the_mode_the_end_and_the_times():
    assert (
        headline(notice("Rugged", kind="resolved", mode="live", count=3)) == "[LIVE] Over: Rugged (3 times)"
    )


def test_what_waited_together_is_named_up_to_five():
    assert together(("a", "b")) == "2 more: a; b"
    assert together(tuple("abcdefg")) == "7 more: a; b; c; d; e; and 2 others"


# -- pace -----------------------------------------------------------------------------------


def waiting(number: int, rule: str = "whale", *, is_critical: bool = False) -> Waiting:
    return Waiting(number=number, rule=rule, is_critical=is_critical, at_ms=number)


def told(items: list[Waiting], *, now_ms: int = 1_000_000, windows_s: dict[str, int], **told_ms: int):
    found = tellings(tuple(items), told_ms=told_ms, windows_s=windows_s, now_ms=now_ms)
    return [(item.number, item.others) for item in found]


def test_first_of_a_rule_then_told_at_once_with_what_came_beside_it():
    items = [waiting(1), waiting(2), waiting(3, is_critical=True)]
    assert told(items, windows_s={"whale": 60}) == [(3, (2, 1))]


def test_within_the_window_then_it_waits_and_afterwards_is_told_together():
    items = [waiting(1), waiting(2)]
    assert told(items, windows_s={"whale": 60}, whale=940_001) == []
    assert told(items, windows_s={"whale": 60}, whale=940_000) == [(2, (1,))]


def test_rule_without_a_window_then_each_is_told_by_itself():
    items = [waiting(1, "emergency_stop"), waiting(2, "emergency_stop")]
    assert told(items, windows_s={"emergency_stop": 0}, emergency_stop=999_999) == [(1, ()), (2, ())]


@given(st.lists(st.tuples(st.sampled_from(["gas", "whale"]), st.booleans()), max_size=20))
def test_any_that_wait_then_each_is_told_exactly_once(kinds: list[tuple[str, bool]]):
    items = [waiting(number, rule, is_critical=flag) for number, (rule, flag) in enumerate(kinds)]
    found = told(items, windows_s={"gas": 0, "whale": 5})
    assert sorted(number for first, others in found for number in (first, *others)) == list(range(len(items)))


@pytest.mark.parametrize(("asked_s", "expected"), [(None, BACKOFF_S[0]), (100, 100), (10**9, 3_600), (1, 5)])
def test_next_try_when_the_other_side_asks_for_rest_then_no_sooner_and_bounded(asked_s, expected):
    assert next_try_s(1, asked_s=asked_s) == expected


def test_next_try_rests_longer_each_time_and_ends():
    rests = [next_try_s(attempts) for attempts in range(1, TRIES_MAX + 1)]
    assert rests == [*BACKOFF_S, None]
    assert list(BACKOFF_S) == sorted(BACKOFF_S)
