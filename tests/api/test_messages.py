"""Messages of the sockets: whatever a line of the log holds, what is sent fits the published schema."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema_rs import Draft202012Validator

from apps.api.messages import LOGGED, LOGGED_PAYLOADS, STREAMS, Problem, said, schema_names, schema_of
from apps.api.messages_logged import Line, line_json
from apps.api.messages_reference import reference

_AT = datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)
_VALIDATORS = {name: Draft202012Validator(schema_of(name) or {}) for name in schema_names()}
#: Names that the log's lines use, so that chance meets them.
_NAMES = st.sampled_from(
    ["side", "order", "pair", "base_raw", "codes", "n", "entities", "parts", "members", "simulated", "before"]
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_NAMES, inner, max_size=6),
    max_leaves=12,
)


def _line(kind: str, payload: object, *, subject: str = "pair:7", summary: str = "Something.") -> Line:
    return Line(
        position=5,
        kind=kind,
        at=_AT,
        trace_id="ab",
        actor="engine",
        subject=subject,
        summary=summary,
        payload=payload,
    )


@given(st.sampled_from([kind.value for kind in LOGGED]), _JSON, st.text(max_size=30), st.text(max_size=30))
@settings(deadline=None, max_examples=150)
def test_line_when_it_holds_anything_then_the_message_fits_its_schema(kind, payload, subject, summary):
    message = json.loads(line_json(_line(kind, payload, subject=subject, summary=summary), mode="paper"))
    _VALIDATORS[kind].validate(message)


def test_line_when_half_characters_stand_in_it_then_told_without_them():
    text = line_json(_line("engine_status", {"reason": "a\ud800b"}, summary="x\udfff"), mode="sandbox")
    assert json.loads(text)["payload"]["reason"] == "a?b"


def test_line_when_whole_then_nothing_is_lost():
    payload = {
        "likelihood_bps": "8200",
        "low_bps": "7000",
        "high_bps": "9100.5",
        "confidence": "0.8",
        "n": 12,
        "limit_bps": 6000,
        "parts": [
            {
                "code": "rush",
                "likelihood_bps": 8000,
                "reason": "same block",
                "addresses": ["0xa"],
                "transactions": [],
            }
        ],
    }
    message = json.loads(line_json(_line("coordination_detected", payload), mode="sandbox"))
    assert message["payload"] == payload | {"subject": "pair:7", "summary": "Something.", "pair_id": 7}
    assert (message["v"], message["id"], message["at"]) == (1, 5, "2026-01-02T03:04:05.678000Z")


@pytest.mark.parametrize(
    ("subject", "cause", "field", "value"),
    [
        ("pair:7", "pair", "pair_id", 7),
        ("position:3", "position", "position_id", 3),
        ("order:9", "order", "order_id", 9),
        ("breaker:losses", "breaker", "breaker", "losses"),
        ("", "other", "pair_id", None),
    ],
)
def test_alert_when_raised_then_says_by_what(subject, cause, field, value):
    payload = json.loads(line_json(_line("risk_alert", {}, subject=subject), mode="live"))["payload"]
    assert (payload["cause"], payload[field]) == (cause, value)


def test_streams_when_listed_then_all_eight_travel_on_autotrade():
    assert set(LOGGED_PAYLOADS) < set(STREAMS["autotrade"])
    assert set(STREAMS["intelligence"]) < set(LOGGED_PAYLOADS)
    assert len(LOGGED_PAYLOADS) == 8


@given(st.text(max_size=200) | _JSON.map(json.dumps))
@settings(deadline=None, max_examples=100)
def test_client_when_it_says_anything_then_understood_or_a_problem(text):
    heard = said(text)
    if isinstance(heard, Problem):
        assert len(heard.detail) < 300
        assert heard.remedy


@pytest.mark.django_db
def test_schemas_when_asked_for_by_a_stranger_then_served(client):
    listed = client.get(reverse("schemas:all")).json()
    assert set(listed["schemas"]) == set(schema_names())
    answer = client.get(listed["schemas"]["risk_alert"])
    assert answer.json() == schema_of("risk_alert")
    assert answer["content-type"] == "application/schema+json"
    assert client.get(reverse("schemas:one", args=["login"])).status_code == 404


def test_document_when_read_then_its_reference_is_that_of_the_schemas():
    text = (Path(django_settings.BASE_DIR) / "docs" / "sockets.md").read_text(encoding="utf-8")
    assert reference() in text, "run: manage.py sockets_reference"
