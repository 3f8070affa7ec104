"""Who comes in, how often, and how errors are told."""

from __future__ import annotations

import json

import pytest
from django.core.cache import caches
from django.test import Client

from apps.api import limits
from apps.api.assembly import description
from apps.api.limits import count
from apps.api.problems import RequestError
from apps.api.urls import BODY_BYTES_MAX
from apps.state.models import EngineState, Event
from tests.api.conftest import Bearer, bearer_of
from tests.dashboard.conftest import client_of, person

STATUS = "/api/v1/autotrade/status"
PARTS = {
    "type",
    "title",
    "status",
    "code",
    "detail",
    "category",
    "recovery",
    "remedy",
    "instance",
    "trace_id",
    "faults",
}


def _filled(path: str) -> str:
    for name, value in (("address", "0x1"), ("trace_id", "a" * 32), ("name", "losses")):
        path = path.replace(f"{{{name}}}", value)
    for name in ("position_id", "order_id", "incident_id"):
        path = path.replace(f"{{{name}}}", "1")
    assert "{" not in path, path
    return path


OPERATIONS = [
    (method, _filled(path), found["x-permission"])
    for path, methods in description()["paths"].items()
    for method, found in methods.items()
]


def test_every_operation_when_a_stranger_asks_then_401_as_a_problem(life):
    client = Client()
    for method, path, _ in OPERATIONS:
        answer = getattr(client, method)(
            path, content_type="application/json", headers={"Idempotency-Key": "k"}
        )
        assert answer.status_code == 401, path
        assert answer["Content-Type"] == "application/problem+json"
        assert answer.json().keys() == PARTS
        assert answer["WWW-Authenticate"]
    assert client.get("/api/v1/openapi.json").status_code == 401


def test_every_operation_when_nobody_in_particular_asks_then_403(life):
    client = client_of()
    for method, path, permission in OPERATIONS:
        body = json.dumps(
            {
                "side": "sell",
                "position_id": 1,
                "kind": "part",
                "revision": 1,
                "changes": {"limits": {}},
                "reason": "x",
            }
        )
        if "advanced" not in path:
            body = json.dumps({"reason": "because"})
        if path.endswith("/config"):
            body = json.dumps({"revision": 1, "changes": {"limits": {}}, "reason": "because"})
        if path.endswith("/orders/advanced"):
            body = json.dumps({"side": "sell", "position_id": 1, "kind": "part"})
        if path.endswith("/close"):
            body = "{}"
        answer = getattr(client, method)(
            path,
            data=body if method == "post" else None,
            content_type="application/json",
            headers={"Idempotency-Key": "k"},
        )
        assert answer.status_code == 403, (path, permission, answer.content)
    assert EngineState.objects.get().epoch == 1


def test_session_when_it_changes_something_without_a_csrf_token_then_refused(life, settings):
    client = Client(enforce_csrf_checks=True)
    client.force_login(person("operator", username="olga"))
    assert client.get(STATUS).status_code == 200
    answer = client.post(
        "/api/v1/autotrade/stop", data="{}", content_type="application/json", headers={"Idempotency-Key": "k"}
    )
    assert (answer.status_code, answer.json()["category"]) == (403, "request")
    assert "CSRF" in answer.json()["detail"]
    client.get("/tokens/")
    token = client.cookies[settings.CSRF_COOKIE_NAME].value
    answer = client.post(
        "/api/v1/autotrade/stop",
        data="{}",
        content_type="application/json",
        headers={"Idempotency-Key": "k", "X-CSRFToken": token},
    )
    assert answer.status_code == 200


def test_wrong_token_when_somebody_is_signed_in_too_then_refused(life):
    client = client_of("keeper")
    answer = client.get(STATUS, headers={"Authorization": "Bearer dxs_00000000_wrong"})
    assert answer.status_code == 401


# -- how often ----------------------------------------------------------------------------
def test_caller_when_past_the_limit_then_429_and_the_kill_switch_still_pulls(life, settings):
    settings.API_PER_MINUTE = {"read": 3, "act": 2, "refused": 30}
    bearer = bearer_of("keeper")
    answers = [bearer.get("/autotrade/status") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert 1 <= int(answers[-1]["Retry-After"]) <= 60
    assert answers[-1].json()["recovery"] == "wait"
    stops = [bearer.post("/autotrade/stop").status_code for _ in range(3)]
    assert stops == [200, 200, 429]
    assert bearer.post("/autotrade/killswitch/pull").status_code == 200
    assert bearer_of("viewer", scopes=("read",)).get("/autotrade/status").status_code == 200  # counted apart


def test_wrong_tokens_when_one_address_tries_many_then_429(life, settings):
    settings.API_PER_MINUTE = {**settings.API_PER_MINUTE, "refused": 2}
    wrong = Bearer("dxs_00000000_wrong")
    assert [wrong.get("/autotrade/status").status_code for _ in range(3)] == [401, 401, 429]


def test_shared_count_when_the_broker_is_dead_then_this_process_counts(ground, settings):
    settings.CACHES = {
        **settings.CACHES,
        "shared": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:1/0",
        },
    }
    settings.API_PER_MINUTE = {"read": 2, "act": 2, "refused": 2}
    assert "Redis" in type(caches["shared"]).__name__
    limits._rest_until = 0.0
    try:
        for _ in range(2):
            count("token:1", "read")
        with pytest.raises(RequestError):
            count("token:1", "read")
    finally:
        limits._rest_until = 0.0


# -- errors -------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/nothing", 404, "NOT_FOUND"),
        ("/positions/999999", 404, "NOT_FOUND"),
        ("/positions/many", 422, "INVALID_REQUEST"),
        ("/positions/99999999999999999999", 422, "INVALID_REQUEST"),
        ("/positions?cursor=rubbish", 422, "INVALID_CURSOR"),
        ("/positions?limit=201", 422, "INVALID_REQUEST"),
        ("/autotrade/activities?kind=rubbish", 422, "INVALID_REQUEST"),
        ("/opportunities?wanted=%00", 400, "UNREADABLE"),
        ("/autotrade/start", 405, "METHOD_NOT_ALLOWED"),
        ("/intelligence/pairs/0xdead/analysis", 404, "NOT_FOUND"),
    ],
)
def test_request_when_it_cannot_be_served_then_told_with_a_remedy(keeper: Bearer, path, status, code):
    answer = keeper.client.get(f"/api/v1{path}", headers=keeper.headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["remedy"]
    assert len(answer.json()["trace_id"]) == 32


@pytest.mark.parametrize(
    "body", [b"{", b'{"reason": "\\u0000"}', b'{"reason": "\\ud800"}', b"\xff", b"[" * 20_000]
)
def test_body_when_no_database_could_keep_it_then_400(keeper: Bearer, body: bytes):
    answer = keeper.client.post(
        "/api/v1/autotrade/stop",
        data=body,
        content_type="application/json",
        headers={**keeper.headers, "Idempotency-Key": "k"},
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "UNREADABLE")


def test_body_when_too_large_then_413(keeper: Bearer):
    answer = keeper.post("/autotrade/stop", {"reason": "x" * BODY_BYTES_MAX})
    assert answer.status_code == 413
    answer = keeper.client.generic(
        "POST", "/api/v1/autotrade/stop", "{}", headers={**keeper.headers, "Content-Length": "many"}
    )
    assert answer.status_code == 400


def test_our_own_error_when_it_is_told_then_with_category_recovery_and_remedy(keeper: Bearer):
    keeper.post("/autotrade/killswitch/pull")
    answer = keeper.post("/autotrade/start")
    told = answer.json()
    assert (answer.status_code, told["code"], told["category"]) == (409, "TRANSITION_REFUSED", "trading")
    assert "resume" in told["remedy"]


def test_unforeseen_error_when_it_happens_then_500_with_a_trace_and_nothing_of_its_inside(keeper: Bearer):
    Event.objects.create(kind="engine_status", at="2026-01-01T00:00:00Z", actor="x", summary="y", payload=[1])
    answer = keeper.get("/autotrade/activities")
    told = answer.json()
    assert (answer.status_code, told["code"], told["detail"]) == (500, "UNEXPECTED", "")
    assert told["trace_id"]
    assert "payload" not in answer.content.decode()
