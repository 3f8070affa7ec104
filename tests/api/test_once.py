"""A request that is made twice has one effect."""

from __future__ import annotations

import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core.cache import caches
from django.db import connection, connections
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from apps.api.models import ApiToken, IdempotencyKey
from apps.api.services.idempotency import KEPT_FOR, fingerprint, is_key
from apps.state.models import EngineState, Event
from tests import factories as f
from tests.api.conftest import Bearer, bearer_of

PULL = "/autotrade/killswitch/pull"


def _stops() -> int:
    return Event.objects.filter(kind="engine_status", payload__after="stopped").count()


def test_same_request_when_made_twice_then_one_effect_and_the_same_answer(keeper: Bearer):
    first = keeper.post("/autotrade/stop", {"reason": "lunch"}, key="k")
    keeper.post("/autotrade/start")
    again = keeper.post("/autotrade/stop", {"reason": "lunch"}, key="k")
    assert again.status_code == 200
    assert again["Idempotent-Replayed"] == "true"
    assert again.json() == first.json()
    assert _stops() == 1
    assert EngineState.objects.get().status == "running"


def test_key_when_it_comes_with_another_request_then_refused(keeper: Bearer):
    keeper.post("/autotrade/stop", {"reason": "lunch"}, key="k")
    for path, body in (("/autotrade/stop", {"reason": "tea"}), ("/autotrade/start", {"reason": "lunch"})):
        answer = keeper.post(path, body, key="k")
        assert (answer.status_code, answer.json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")


def test_key_when_another_user_has_the_same_then_nothing_is_shared(keeper: Bearer):
    keeper.post("/autotrade/stop", key="k")
    other = bearer_of("keeper", username="olga").post("/autotrade/stop", key="k")
    assert "Idempotent-Replayed" not in other


@pytest.mark.parametrize("key", ["", "with space", "ü", "x" * 101])
def test_key_when_missing_or_senseless_then_nothing_is_done(keeper: Bearer, key: str):
    answer = keeper.post("/autotrade/stop", key=key)
    assert (answer.status_code, answer.json()["code"]) == (400, "IDEMPOTENCY_KEY_MISSING")
    assert _stops() == 0


def test_refused_request_when_its_hindrance_is_gone_then_its_key_may_be_used_again(keeper: Bearer):
    keeper.post(PULL)
    assert keeper.post("/autotrade/start", key="k").status_code == 409
    assert not IdempotencyKey.objects.filter(key="k").exists()
    assert (
        keeper.post("/autotrade/killswitch/resume", {"reason": "mended", "to": "stopped"}).status_code == 200
    )
    assert keeper.post("/autotrade/start", key="k").status_code == 200


def test_kill_when_its_key_was_used_before_or_is_senseless_then_pulled_all_the_same(keeper: Bearer):
    keeper.post("/autotrade/stop", key="known")
    for key in ("k", "k", "known", "", "with space", "ü", "x" * 101):
        EngineState.objects.update(status="running")
        answer = keeper.post(PULL, {"reason": f"smoke {key}"}, key=key)
        assert (answer.status_code, "Idempotent-Replayed" in answer) == (200, False), key
        assert EngineState.objects.get().status == "emergency_stopped", key


@pytest.mark.parametrize("content_type", ["", "application/json", "application/x-www-form-urlencoded"])
def test_kill_when_it_comes_without_a_body_then_pulled(keeper: Bearer, content_type: str):
    answer = keeper.client.generic(
        "POST", f"/api/v1{PULL}", b"", content_type=content_type, headers=keeper.headers
    )
    assert answer.status_code == 200, answer.content
    assert EngineState.objects.get().status == "emergency_stopped"


@pytest.mark.parametrize(
    ("role", "scopes", "status"),
    [
        ("operator", ("operate",), "emergency_stopped"),
        ("operator", ("operate", "trade"), "closing"),
        ("keeper", ("read", "operate"), "emergency_stopped"),
    ],
)
def test_kill_when_it_shall_sell_then_only_with_the_scope_trade_and_else_positions_are_left(
    life, role: str, scopes: tuple[str, ...], status: str
):
    told = bearer_of(role, scopes=scopes).post(PULL, {"positions": "close"}).json()
    assert EngineState.objects.get().status == status
    assert told["positions"] == ("close" if status == "closing" else "leave")
    assert ("scope trade" in told["positions_reason"]) is (told["positions"] == "leave")


def test_kill_when_it_shall_sell_and_the_second_factor_lacks_then_positions_are_left(keeper: Bearer):
    TOTPDevice.objects.create(user=ApiToken.objects.get().user, name="phone", confirmed=True)
    told = keeper.post(PULL, {"positions": "close"}).json()
    assert EngineState.objects.get().status == "emergency_stopped"
    assert "second factor" in told["positions_reason"]


def test_keys_when_they_are_old_then_forgotten_and_free_again(keeper: Bearer):
    keeper.post("/autotrade/stop", key="k")
    f.IdempotencyKeyFactory(created_at=timezone.now() - KEPT_FOR - timedelta(seconds=1))
    IdempotencyKey.objects.update(created_at=timezone.now() - KEPT_FOR - timedelta(seconds=1))
    again = keeper.post("/autotrade/stop", key="k")
    assert "Idempotent-Replayed" not in again
    assert IdempotencyKey.objects.count() == 1


def test_bodies_when_they_say_the_same_then_have_one_print():
    def made(body: bytes) -> str:
        return fingerprint(method="POST", address="/x", body=body)

    assert made(b'{"a": 1, "b": 2}') == made(b'{"b":2,"a":1}')
    assert made(b'{"a": 1}') != made(b'{"a": 2}')
    assert made(b"{") != made(b"[")
    assert not is_key("a\n")


@pytest.mark.django_db(transaction=True)
def test_same_request_when_made_by_many_at_once_then_one_effect(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    for cache in caches.all():
        cache.clear()
    f.EngineStateFactory(status="running")
    f.ConfigRevisionFactory()
    bearer = bearer_of("keeper")

    def ask(_: int) -> tuple[int, dict[str, object]]:
        try:
            answer = Bearer(bearer.headers["Authorization"].split()[1]).post("/autotrade/stop", key="k")
            return answer.status_code, answer.json()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(ask, range(4)))
    assert [status for status, _ in answers] == [200] * 4
    assert all(told == answers[0][1] for _, told in answers)
    assert _stops() == 1


@pytest.mark.sqlite
@pytest.mark.django_db(transaction=True)
def test_kill_when_the_database_is_locked_then_answered_without_waiting_for_it(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    for cache in caches.all():
        cache.clear()
    f.EngineStateFactory(status="running")
    f.ConfigRevisionFactory()
    bearer = bearer_of("operator")
    assert bearer.get("/autotrade/status").status_code == 200  # what is loaded once is loaded
    lock = sqlite3.connect(str(connection.settings_dict["NAME"]), isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    started = time.monotonic()
    told = bearer.post(PULL, key="k").json()
    took_s = time.monotonic() - started
    lock.execute("ROLLBACK")
    lock.close()
    for thread in [item for item in threading.enumerate() if item.name == "killswitch"]:
        thread.join(timeout=15)
    assert (told["latch_written"], told["database_written"], told["drained"]) == (True, False, True)
    assert took_s < 5  # whoever waits for the lock waits for ten
    assert EngineState.objects.get().status == "emergency_stopped"  # it learnt of it afterwards
    assert not IdempotencyKey.objects.exists()
