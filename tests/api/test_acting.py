"""What can be done, through the same services as on the pages, with the person's name in the log."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.domain.engine import EngineStatus
from apps.state.models import ConfigRevision, EngineState, Event, Incident
from apps.trading.models import AdvancedOrder, Position
from tests import factories as f
from tests.api.conftest import Bearer, bearer_of


def _last(kind: str) -> Event:
    return Event.objects.filter(kind=kind).order_by("-id")[0]


def test_engine_when_started_stopped_killed_and_resumed_then_follows_and_tells_who(keeper: Bearer):
    assert keeper.post("/autotrade/stop", {"reason": "lunch"}).json()["status"] == "stopped"
    assert keeper.post("/autotrade/start?mode=sell_only").json()["may_enter"] is False
    started = keeper.post("/autotrade/start?mode=standard", {"reason": "back"}).json()
    assert (started["status"], started["may_enter"]) == ("running", True)
    killed = keeper.post("/autotrade/killswitch/pull", {"positions": "close", "reason": "smoke"}).json()
    assert killed["drained"] is True
    assert keeper.get("/autotrade/status").json()["status"] == "closing"
    keeper.post("/autotrade/killswitch/pull")
    assert keeper.post("/autotrade/killswitch/resume", {"reason": ""}).status_code == 422
    resumed = keeper.post("/autotrade/killswitch/resume", {"reason": "mended", "to": "paused"})
    assert resumed.json()["status"] == EngineStatus.PAUSED.value
    event = _last("engine_status")
    assert event.actor == "kai"
    assert event.trace_id == resumed["X-Trace-Id"]
    assert EngineState.objects.get().changed_by == "kai"


def test_mode_when_it_is_none_then_refused(keeper: Bearer):
    assert keeper.post("/autotrade/start?mode=turbo").status_code == 422


def test_configuration_when_changed_then_a_revision_with_its_diff(keeper: Bearer):
    seen = keeper.get("/autotrade/config").json()
    body = {"revision": seen["revision"], "changes": {"limits": {"open_positions_max": 5}}, "reason": "calm"}
    told = keeper.post("/autotrade/config", body).json()
    assert told["revision"] == seen["revision"] + 1
    assert told["changes"] == [
        {
            "path": "limits.open_positions_max",
            "before": seen["config"]["limits"]["open_positions_max"],
            "after": 5,
        }
    ]
    row = ConfigRevision.objects.get(is_active=True)
    assert (row.created_by, row.reason) == ("kai", "calm")
    assert "limits.open_positions_max" in _last("config_changed").payload["diff"]
    late = keeper.post("/autotrade/config", body)
    assert (late.status_code, "somebody else" in late.json()["detail"]) == (422, True)


def test_configuration_when_out_of_bounds_then_every_field_is_named(keeper: Bearer):
    changes = {"limits": {"open_positions_max": 0, "position_max_usd": "-1"}, "nothing": {}}
    seen = keeper.get("/autotrade/config").json()["revision"]
    answer = keeper.post("/autotrade/config", {"revision": seen, "changes": changes, "reason": "x"})
    assert answer.status_code == 422
    assert {item["where"] for item in answer.json()["faults"]} >= {
        "limits.open_positions_max",
        "limits.position_max_usd",
    }
    assert ConfigRevision.objects.count() == 1


def test_position_when_closed_whole_or_in_part_then_asked_for(keeper: Bearer):
    position = Position.objects.filter(status="open").order_by("id")[0]
    told = keeper.post(f"/positions/{position.pk}/close", {"share_bps": 2_500}).json()
    order = AdvancedOrder.objects.get(pk=told["advanced_order_id"])
    assert (order.side, order.created_by) == ("sell", "kai")
    assert int(order.plan["total_raw"]) == position.quantity_raw // 4
    told = keeper.post(f"/positions/{position.pk}/close").json()
    position.refresh_from_db()
    assert (told["advanced_order_id"], position.ordered_tag) == (None, "force_exit")
    assert _last("position_changed").actor == "kai"
    closed = Position.objects.filter(status="closed")[0]
    assert keeper.post(f"/positions/{closed.pk}/close").status_code == 409
    assert keeper.post("/positions/999999/close").status_code == 404


def test_advanced_order_when_placed_then_seen_and_cancelled_once(keeper: Bearer):
    position = Position.objects.filter(status="open").order_by("id")[0]
    body = {
        "side": "sell",
        "position_id": position.pk,
        "kind": "bracket",
        "gain_bps": 5_000,
        "loss_bps": 2_000,
    }
    placed = keeper.post("/orders/advanced", body, key="one").json()
    assert keeper.post("/orders/advanced", body, key="one").json()["id"] == placed["id"]
    assert [leg["trigger"] for leg in placed["legs"]] == ["at_least", "at_most"]
    assert keeper.get(f"/orders/advanced/{placed['id']}").json() == placed
    assert keeper.get("/orders/advanced").json()["items"] == [placed]
    assert keeper.post(f"/orders/advanced/{placed['id']}/cancel").status_code == 200
    assert keeper.post(f"/orders/advanced/{placed['id']}/cancel").status_code == 409
    assert AdvancedOrder.objects.get().status == "cancelled"


@pytest.mark.parametrize(
    "body",
    [
        {"side": "sell", "position_id": 1, "kind": "bracket", "share_bps": 0},
        {"side": "sell", "kind": "part"},
        {"side": "hold"},
        {"side": "buy", "pair_id": 1, "amount_coin_raw": 5},
        {"side": "buy", "pair_id": 1, "amount_coin_raw": "1e18"},
        {"side": "buy", "pair_id": 1, "amount_coin_raw": "1", "price_max_coins": "Infinity"},
    ],
)
def test_advanced_order_when_senseless_then_nothing_is_placed(keeper: Bearer, body: dict[str, Any]):
    assert keeper.post("/orders/advanced", body).status_code == 422
    assert not AdvancedOrder.objects.exists()


def test_purchase_when_placed_then_waits_for_its_assessment(keeper: Bearer):
    f.WalletFactory(key="trader")
    position = Position.objects.filter(status="open").order_by("id")[0]
    pair = position.pair
    pair.reserve_base_raw, pair.reserve_quote_raw, pair.reserve_block_number = 10**24, 10**19, 7
    pair.save()
    pair.verdicts.all().delete()
    body = {"side": "buy", "pair_id": pair.pk, "amount_coin_raw": str(10**16), "price_max_coins": "0.5"}
    answer = keeper.post("/orders/advanced", {**body, "accepts_refusals": True})
    assert answer.status_code == 200, answer.content
    told = answer.json()
    assert (told["kind"], told["total_raw"], told["legs"][0]["trigger"]) == ("limit", str(10**16), "at_most")
    assert told["legs"][0]["price_coins"].rstrip("0") == "0.5"


def test_incident_when_resolved_then_closed_with_the_reason(keeper: Bearer):
    incident = Incident.objects.filter(resolved_at=None)[0]
    assert keeper.post(f"/incidents/{incident.pk}/resolve", {"reason": "new endpoint"}).status_code == 200
    incident.refresh_from_db()
    assert incident.resolved_by == "kai"
    assert "new endpoint" in _last("incident_closed").summary
    assert keeper.post(f"/incidents/{incident.pk}/resolve", {"reason": "again"}).status_code == 409


def test_breaker_when_armed_by_somebody_who_may_then_armed(life):
    now = timezone.now()
    f.BreakerFactory(name="losses", tripped_at=now, until=now + timedelta(hours=1))
    admin = bearer_of("", scopes=("read", "operate"), admin=True, username="root")
    [row] = [item for item in admin.get("/breakers").json()["breakers"] if item["is_tripped"]]
    assert row["name"] == "losses"
    assert admin.post("/breakers/losses/reset", {"reason": "looked"}).status_code == 200
    assert not any(item["is_tripped"] for item in admin.get("/breakers").json()["breakers"])
    assert admin.post("/breakers/losses/reset", {"reason": "looked"}).status_code == 409
