"""The page on money: true sums, files, and no formula or markup of strangers."""

from __future__ import annotations

import csv
import io

import pytest
from django.urls import reverse
from django.utils import timezone

from apps.discovery.models import Pair
from apps.domain.ids import NATIVE_ADDRESS, ChainKey
from apps.domain.money import Amount, Token
from apps.trading.logic import ledger
from apps.trading.models import Order, Revocation, TxAttempt
from apps.trading.services.allowances import ADDRESS_PADDING, APPROVE_SELECTOR
from apps.trading.services.ledger import entry_write
from tests import factories as f
from tests.dashboard.conftest import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def traded() -> None:
    pair: Pair = f.PairFactory(base__symbol="<b>=EVIL")
    chain = ChainKey(pair.chain_key)
    f.ChainFactory(key=pair.chain_key)
    f.WalletFactory(key="trader")
    coin, token = Token(chain, NATIVE_ADDRESS, "ETH", 18), Token(chain, pair.base.address, "", 18)
    for key, source, target in (
        ("a", Amount(10**18, coin), Amount(5 * 10**18, token)),
        ("b", Amount(5 * 10**18, token), Amount(3 * 10**18, coin)),
    ):
        entry_write(
            entry_key=f"fill:0x{key}:0xblock",
            kind="fill",
            description="test",
            postings=ledger.fill_postings(
                wallet_key="trader", pair_key=pair.pair_key, amount_in=source, amount_out=target
            ),
            at=timezone.now(),
            usd_micros=1_000_000,
        )


@pytest.mark.parametrize("by", ["day", "chain", "token", "exit", "nonsense"])
def test_page_by_anything_then_shows_what_was_gained_and_no_markup(by: str):
    response = client_of("viewer").get(reverse("dashboard:money"), {"by": by})
    assert response.status_code == 200
    body = response.content.decode()
    assert "<b>=EVIL" not in body
    assert "2 ETH" in body.replace('<span class="unit">', " ").replace("</span>", "")


@pytest.mark.parametrize(
    ("what", "given", "name"),
    [
        ("trades", "koinly", "trades-koinly"),
        ("trades", "", "trades-plain"),
        ("lots", "hifo", "lots-hifo"),
        ("lots", "x", "lots-fifo"),
    ],
)
def test_download_then_is_a_csv_file_without_formulas(what: str, given: str, name: str):
    response = client_of("viewer").get(reverse("dashboard:money_export", args=[what]), {"as": given})
    assert response["Content-Type"].startswith("text/csv")
    assert f'filename="{name}-' in response["Content-Disposition"]
    rows = list(csv.reader(io.StringIO(response.content.decode())))
    assert len(rows) >= 2
    assert not any(cell.startswith(("=", "+", "@")) for row in rows for cell in row)


def test_visitor_without_permission_then_sees_nothing():
    for address in (reverse("dashboard:money"), reverse("dashboard:money_export", args=["lots"])):
        assert client_of().get(address).status_code == 403


def approval_left() -> TxAttempt:
    """Return a mined approval whose sale came to nothing."""
    payload = APPROVE_SELECTOR + ADDRESS_PADDING + b"\x5e" * 20 + b"\xff" * 32
    order = f.OrderFactory(side="sell", status="reverted")
    return f.TxAttemptFactory(order=order, purpose="approve", status="mined", payload=payload)


def test_approval_when_taken_back_on_the_page_then_one_row_waits_for_the_signing_process():
    approval = approval_left()
    address = reverse("dashboard:approval_revoke", args=[approval.pk])
    trader = client_of("operator")
    assert address in trader.get(reverse("dashboard:money")).content.decode()
    for _ in range(2):
        assert trader.post(address).status_code == 302
    row = Revocation.objects.get()
    assert (row.status, row.spender, row.attempt) == ("waiting", "0x" + "5e" * 20, None)
    body = trader.get(reverse("dashboard:money")).content.decode()
    assert "waits to be signed" in body
    assert address not in body


def test_approval_when_its_sale_is_on_its_way_then_is_not_offered():
    approval = approval_left()
    Order.objects.filter(pk=approval.order_id).update(status="submitted")
    address = reverse("dashboard:approval_revoke", args=[approval.pk])
    trader = client_of("operator")
    body = trader.get(reverse("dashboard:money")).content.decode()
    assert "its sale is on its way" in body
    assert address not in body
    trader.post(address)
    assert not Revocation.objects.exists()


def test_approval_when_one_may_only_look_then_no_button_and_no_way():
    approval = approval_left()
    address = reverse("dashboard:approval_revoke", args=[approval.pk])
    viewer = client_of("viewer")
    assert address not in viewer.get(reverse("dashboard:money")).content.decode()
    assert viewer.post(address).status_code == 403
    assert client_of("operator", username="olga").get(address).status_code == 405
    assert not Revocation.objects.exists()
