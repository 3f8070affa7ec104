"""What is read: the same as on the pages, in parts, exact, without a secret."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

from django.contrib.auth.models import Group

from apps.api.assembly import description
from apps.api.logic.reference import reference
from apps.api.services.tokens import token_create
from apps.state.models import Event
from apps.trading.models import Opportunity, Order, Position
from apps.trading.reading.positions import position_of
from tests import factories as f
from tests.api.conftest import Bearer, bearer_of
from tests.dashboard.conftest import client_of

LISTS = [
    path.removeprefix("/api/v1")
    for path, methods in description()["paths"].items()
    if any(item["name"] == "cursor" for item in methods.get("get", {}).get("parameters", ()))
]


def test_lists_when_read_in_parts_then_each_row_once_newest_first(keeper: Bearer):
    assert len(LISTS) >= 7
    for path in LISTS:
        whole = keeper.get(path, limit=200).json()["items"]
        parts: list[Any] = []
        cursor: str | None = ""
        while cursor is not None:
            answer = keeper.get(path, limit=6, cursor=cursor).json()
            parts += answer["items"]
            cursor = answer["next_cursor"]
        ids = [item.get("id") or item["pair"]["id"] for item in parts]
        assert parts == whole, path
        assert ids == sorted(set(ids), reverse=True), path


def test_position_when_read_then_as_on_its_page_and_exact(keeper: Bearer):
    item = Position.objects.filter(status="open").order_by("id")[0]
    Position.objects.filter(pk=item.pk).update(quantity_raw=2**255 + 1)
    told = keeper.get(f"/positions/{item.pk}").json()
    row = position_of(item.pk)
    assert row is not None
    assert told["quantity_base_raw"] == str(2**255 + 1)
    assert (told["state"], told["result_bps"]) == (row.state, row.result_bps)
    assert told["cost_usd"] == f"{item.cost_usd_micros / 10**6:.6f}"
    assert datetime.fromisoformat(told["opened_at"]).utcoffset() is not None


def test_trace_when_read_then_the_whole_road_stands_in_it(keeper: Bearer):
    order = Order.objects.filter(status="filled").order_by("id")[0]
    told = keeper.get(f"/trace/{order.trace_id}").json()
    assert told["opportunity"]["trace_id"] == order.trace_id
    assert [item["id"] for item in told["orders"]] == [order.pk]
    assert told["decisions"]
    assert told["position"]["trace_id"] == order.trace_id
    assert keeper.get(f"/trace/{'0' * 32}").status_code == 404


def test_analysis_when_asked_by_pool_or_token_in_any_case_then_the_same(keeper: Bearer):
    pair = Opportunity.objects.filter(pair__analyses__isnull=False)[0].pair
    told = keeper.get(f"/intelligence/pairs/{pair.pool_address.upper().replace('0X', '0x')}/analysis").json()
    assert told["pair"]["id"] == pair.pk
    assert keeper.get(f"/intelligence/pairs/{pair.base.address.lower()}/analysis").json() == told
    by_code = {item["code"]: item for item in told["estimates"]}
    unknown = by_code["sellable_next_block"]
    assert (unknown["value"], unknown["confidence"]) == (None, "0")
    assert unknown["reason_unknown"]
    assert told["verdict"]["findings"]


def test_filters_when_given_then_only_what_fits(keeper: Bearer):
    codes = {item["skip_code"] for item in keeper.get("/opportunities", limit=200).json()["items"]} - {""}
    code = sorted(codes)[0]
    found = keeper.get("/opportunities", code=code).json()["items"]
    assert {item["skip_code"] for item in found} == {code}
    assert keeper.get("/orders", side="buy").json()["items"]
    assert keeper.get("/orders", side="sell").json()["items"] == []
    assert {item["state"] for item in keeper.get("/positions", status="closed").json()["items"]} == {"closed"}
    assert keeper.get("/autotrade/activities", kind="login").json()["items"] == []


def test_activities_when_the_reader_may_not_see_the_audit_trail_then_nothing_of_people(life):
    reader = client_of("", admin=True, username="root")
    assert reader.get("/api/v1/autotrade/activities", {"kind": "access_changed"}).json()["items"]
    viewer = f.UserFactory(username="vera")
    viewer.groups.add(Group.objects.get(name="viewer"))
    _, token = token_create(user=viewer, name="a", scopes=["read"], by="vera")
    assert not keeper_sees(Bearer(token), "access_changed")
    assert Event.objects.filter(kind="access_changed").exists()


def test_activities_when_a_token_reads_for_somebody_who_may_then_nothing_of_people_all_the_same(life):
    reader = bearer_of("", scopes=("read", "operate"), admin=True, username="root")
    assert keeper_sees(reader, "engine_status") == Event.objects.filter(kind="engine_status").exists()
    assert not keeper_sees(reader, "access_changed")
    assert Event.objects.filter(kind="access_changed").exists()


def keeper_sees(bearer: Bearer, kind: str) -> bool:
    return bool(bearer.get("/autotrade/activities", kind=kind).json()["items"])


def test_wallets_when_read_then_addresses_and_balances_alone(keeper: Bearer):
    wallet = f.WalletFactory(key="trader", keystore_file="trader.json")
    f.AccountBalanceFactory(account="wallet:trader", balance_raw=10**30)
    answer = keeper.get("/wallets")
    [told] = answer.json()["wallets"]
    assert told["address"] == wallet.address
    assert told["balances"][0]["balance_raw"] == str(10**30)
    assert "keystore" not in answer.content.decode()


def test_markets_when_a_regime_is_known_then_told_with_its_day(keeper: Bearer):
    record = f.MarketRegimeRecordFactory()
    [told] = keeper.get("/intelligence/market/regime").json()["markets"]
    assert told["market"] == record.market
    assert told["as_of"].endswith("Z")


# -- the description ----------------------------------------------------------------------
def test_description_when_read_then_openapi_31_and_no_number_for_money():
    found = description()
    assert found["openapi"].startswith("3.1")
    for name, schema in found["components"]["schemas"].items():
        for field, item in schema.get("properties", {}).items():
            kinds = {kind.get("type") for kind in [item, *item.get("anyOf", ())]}
            if re.search(r"_(usd|raw|coins)$", field):
                assert "number" not in kinds, (name, field)
                assert "integer" not in kinds, (name, field)
            assert "number" not in kinds, (name, field)  # no float anywhere


def test_description_when_asked_for_then_for_bearers_and_people(keeper: Bearer):
    assert keeper.get("/openapi.json").json() == json.loads(json.dumps(description()))
    assert client_of("viewer").get("/api/v1/openapi.json").status_code == 200
    assert keeper.post("/openapi.json").status_code == 405


def test_documentation_when_shown_then_every_operation_without_script_or_outside_file(life):
    page = client_of("viewer").get("/api/v1/docs")
    html = page.content.decode()
    assert page.status_code == 200
    for _, rows in reference(description()):
        for row in rows:
            assert f'id="{row.id}"' in html
            assert row.summary
            assert row.scope, row.id
    assert "://" not in re.sub(r'xmlns="[^"]*"', "", re.sub(r"<(?!script|link|img)[^>]*>", "", html)).replace(
        "http://testserver", ""
    )
    assert "<script>" not in html
    assert "style=" not in html
    assert client_of().get("/api/v1/docs").status_code == 403
