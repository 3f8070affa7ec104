"""Trades by hand on the pages: previewed, placed once, allowed to few, and shown afterwards."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from apps.discovery.models import Pair
from apps.risk.models import VerdictRecord
from apps.state.models import EngineState
from apps.trading.models import AdvancedOrder, Position
from tests import factories as f
from tests.dashboard.test_acting import said


@pytest.fixture
def pair(life: dict[str, Any]) -> Pair:
    f.WalletFactory(key="trader")
    found: Pair = life["pair"]
    found.reserve_base_raw, found.reserve_quote_raw, found.reserve_block_number = 10**24, 10**20, 7
    found.save()
    return found


def test_buy_when_previewed_then_the_worst_case_stands_there_and_nothing_is_placed(operator, pair):
    address = reverse("dashboard:pair_buy", args=[pair.pk])
    page = operator.get(address)
    key = page.context["form"].initial["request_key"]
    shown = operator.post(address, {"request_key": key, "coins": "0.05", "step": "preview"})
    text = shown.content.decode()
    assert "Worst case" in text
    assert "Place this order" in text or "cannot be overruled" in text
    assert AdvancedOrder.objects.count() == 0


def test_buy_when_confirmed_twice_then_is_one_order(operator, pair):
    VerdictRecord.objects.filter(pair=pair).update(findings=[])
    address = reverse("dashboard:pair_buy", args=[pair.pk])
    ask = {"request_key": "a" * 32, "coins": "0.05", "price_max": "0.0001", "step": "confirm"}
    for _ in range(2):
        answer = operator.post(address, ask)
        assert answer.status_code == 302, answer.content.decode()[:3000]
    row = AdvancedOrder.objects.get()
    assert (row.side, row.kind, row.created_by) == ("buy", "limit", "olga")
    page = operator.get(reverse("dashboard:advanced")).content.decode()
    assert "0.0001 or lower" in page


@pytest.mark.parametrize("coins", ["0", "-1", "NaN", "much", "", "1e400"])
def test_buy_of_nonsense_then_is_refused_in_words(operator, pair, coins):
    address = reverse("dashboard:pair_buy", args=[pair.pk])
    answer = operator.post(address, {"request_key": "a", "coins": coins, "step": "confirm"})
    assert answer.status_code == 200
    assert AdvancedOrder.objects.count() == 0


def test_position_when_a_bracket_is_placed_and_cancelled_then_both_are_shown(operator, life):
    position: Position = life["position"]
    address = reverse("dashboard:position_trade", args=[position.pk])
    assert operator.get(address).status_code == 200
    ask = {
        "form": "sell",
        "request_key": "k",
        "kind": "bracket",
        "share": "50",
        "gain": "30",
        "loss": "10",
    }
    assert "was placed" in said(operator.post(address, ask))
    row = AdvancedOrder.objects.get()
    assert row.plan["total_raw"] == str(position.quantity_raw // 2)
    act = reverse("dashboard:advanced_act", args=[row.pk])
    assert "cancelled" in said(operator.post(act, {"action": "cancel", "next": address}))
    assert "nothing to do" in said(operator.post(act, {"action": "cancel"}))


def test_stops_when_changed_then_are_kept(operator, life):
    position: Position = life["position"]
    address = reverse("dashboard:position_trade", args=[position.pk])
    operator.post(address, {"form": "stops", "take_profit": "75.5", "stop_loss": "", "time_stop_s": "600"})
    position.refresh_from_db()
    assert position.exit_plan["take_profit_bps"] == 7_550
    assert position.exit_plan["stop_loss_bps"] is None
    assert position.exit_plan["time_stop_ms"] == 600_000


def test_order_of_an_older_epoch_then_offers_to_resume(operator, life):
    position: Position = life["position"]
    address = reverse("dashboard:position_trade", args=[position.pk])
    operator.post(address, {"form": "sell", "request_key": "k", "kind": "stop", "share": "100", "loss": "50"})
    EngineState.objects.update(epoch=99)
    assert "waits for a person" in operator.get(address).content.decode()
    row = AdvancedOrder.objects.get()
    act = reverse("dashboard:advanced_act", args=[row.pk])
    assert "resumed" in said(operator.post(act, {"action": "resume"}))
    assert "waits for a person" not in operator.get(address).content.decode()


def test_pages_for_those_who_may_only_look_then_are_closed(viewer, life):
    position, pair = life["position"], life["pair"]
    for address in (
        reverse("dashboard:pair_buy", args=[pair.pk]),
        reverse("dashboard:position_trade", args=[position.pk]),
    ):
        assert viewer.get(address).status_code == 403
        assert viewer.post(address, {}).status_code == 403
    assert viewer.post(reverse("dashboard:advanced_act", args=[1]), {}).status_code == 403
    assert viewer.get(reverse("dashboard:advanced")).status_code == 200
