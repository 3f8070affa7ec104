"""Taking an approval back: asked for once, held back by the kill switch, signed once, brought home by settlement."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest

from apps.domain.engine import EngineStatus
from apps.domain.errors import ConfigurationError, InsufficientFundsError, KeystoreError
from apps.domain.order import OrderStatus
from apps.trading.models import Order, Revocation, TxAttempt
from apps.trading.services.allowances import ADDRESS_PADDING, APPROVE_SELECTOR
from apps.trading.services.replacement import REVOCATION_GIVES_WAY_S
from apps.trading.services.revocations import (
    approval_of,
    revocation_execute,
    revocation_request,
    revocations_waiting,
    told_of,
)
from apps.trading.services.settlement import fills_reverse, order_settle
from apps.wallets.services.nonces import nonces_next
from tests import factories
from tests.trading.conftest import World
from tests.trading.fakes import ROUTER

SPENDER = ROUTER


def approved(world: World) -> TxAttempt:
    """Return a mined approval of a position's token whose sale came to nothing."""
    position = world.buy()
    order = factories.OrderFactory(
        side="sell", status="reverted", position=position, pair=position.pair, wallet_key="trader"
    )
    payload = APPROVE_SELECTOR + ADDRESS_PADDING + bytes.fromhex(SPENDER[2:]) + b"\xff" * 32
    return factories.TxAttemptFactory(
        order=order, purpose="approve", status="mined", payload=payload, block_number=1, nonce=None
    )


def left(world: World, attempt: TxAttempt, amount_raw: int) -> None:
    world.chain.allowances[attempt.order.pair.base.address.lower()] = amount_raw


def test_revocation_when_asked_twice_then_one_waits_and_one_transaction_is_sent(world: World):
    approval = approved(world)
    left(world, approval, 5)
    found = approval_of(
        chain_key=world.profile.chain_key,
        wallet_key="trader",
        token_address=approval.order.pair.base.address,
        spender=SPENDER.upper().replace("0X", "0x"),
    )
    row = revocation_request(approval_id=found, by="olga")
    assert revocation_request(approval_id=found, by="ben") == row
    assert revocations_waiting(chain_key=world.profile.chain_key) == (row.pk,)
    nonce = nonces_next(wallet_key="trader", chain_key=world.profile.chain_key)
    sent = len(world.chain.sends)
    attempt = revocation_execute(revocation_id=row.pk, ports=world.ports)
    assert attempt is not None
    assert revocation_execute(revocation_id=row.pk, ports=world.ports) is None
    assert nonce is not None
    assert (attempt.nonce, len(world.chain.sends)) == (nonce, sent + 1)
    assert nonces_next(wallet_key="trader", chain_key=world.profile.chain_key) == nonce + 1
    assert revocations_waiting(chain_key=world.profile.chain_key) == ()


@pytest.mark.parametrize("status", [EngineStatus.STOPPED, EngineStatus.EMERGENCY_STOPPED])
def test_revocation_when_the_engine_is_shut_then_waits_and_says_why(world: World, status: EngineStatus):
    approval = approved(world)
    left(world, approval, 5)
    row = revocation_request(approval_id=approval.pk, by="olga")
    world.engine(status, epoch=2)
    sent = len(world.chain.sends)
    assert revocation_execute(revocation_id=row.pk, ports=world.ports) is None
    row.refresh_from_db()
    assert (row.status, len(world.chain.sends)) == ("waiting", sent)
    assert status.value.replace("_", " ") in told_of(row)


class Refusing:
    """A signer whose wallet is locked."""

    def __init__(self, world: World) -> None:
        self.address = world.ports.signer.address

    def sign(self, *_args: Any, **_options: Any) -> Any:
        raise KeystoreError("wallet trader is locked", remedy="unlock it")


def test_revocation_when_the_signer_refuses_then_ends_with_the_reason_and_takes_no_nonce(world: World):
    approval = approved(world)
    left(world, approval, 5)
    row = revocation_request(approval_id=approval.pk, by="olga")
    nonce = nonces_next(wallet_key="trader", chain_key=world.profile.chain_key)
    with pytest.raises(KeystoreError):
        revocation_execute(
            revocation_id=row.pk, ports=replace(world.ports, signer=cast(Any, Refusing(world)))
        )
    row.refresh_from_db()
    assert (row.status, "locked" in told_of(row)) == ("ended", True)
    assert nonces_next(wallet_key="trader", chain_key=world.profile.chain_key) == nonce
    assert revocation_request(approval_id=approval.pk, by="olga") != row


def test_revocation_when_the_wallet_cannot_pay_then_ends_with_the_reason_and_takes_no_nonce(world: World):
    approval = approved(world)
    left(world, approval, 5)
    row = revocation_request(approval_id=approval.pk, by="olga")
    nonce = nonces_next(wallet_key="trader", chain_key=world.profile.chain_key)
    world.chain.native[world.chain.owner] = 10**9
    with pytest.raises(InsufficientFundsError) as caught:
        revocation_execute(revocation_id=row.pk, ports=world.ports)
    assert "then ask again" in caught.value.remedy
    row.refresh_from_db()
    assert (row.status, "cannot pay" in told_of(row)) == ("ended", True)
    assert nonces_next(wallet_key="trader", chain_key=world.profile.chain_key) == nonce


def test_revocation_where_data_takes_gas_then_its_limit_has_room_for_it_and_it_is_mined(world: World):
    approval = approved(world)
    left(world, approval, 5)
    row = revocation_request(approval_id=approval.pk, by="olga")
    world.chain.data_gas = 200_000
    assert revocation_execute(revocation_id=row.pk, ports=world.ports) is not None
    world.chain.mine()
    order_settle(order_id=row.order_id, ports=world.ports)
    row.refresh_from_db()
    assert told_of(row) == "taken back"


def test_revocation_when_nothing_is_left_then_costs_no_gas(world: World):
    approval = approved(world)
    row = revocation_request(approval_id=approval.pk, by="olga")
    assert revocation_execute(revocation_id=row.pk, ports=world.ports) is None
    row.refresh_from_db()
    assert (row.status, told_of(row)) == ("ended", "nothing is left to take back")


def test_revocation_of_what_is_no_approval_of_ours_then_is_refused(world: World):
    world.buy()
    swap = TxAttempt.objects.get(purpose="swap")
    with pytest.raises(ConfigurationError, match="no mined approval"):
        revocation_request(approval_id=swap.pk, by="olga")
    with pytest.raises(ConfigurationError, match="never approved"):
        approval_of(
            chain_key=world.profile.chain_key, wallet_key="trader", token_address="0x1", spender=SPENDER
        )
    assert not Revocation.objects.exists()


@pytest.mark.parametrize("status", ["claimed", "signed", "submitted", "unknown"])
def test_revocation_when_its_sale_is_on_its_way_then_is_refused(world: World, status: str):
    approval = approved(world)
    Order.objects.filter(pk=approval.order_id).update(status=status)
    with pytest.raises(ConfigurationError, match="on its way"):
        revocation_request(approval_id=approval.pk, by="olga")
    assert not Revocation.objects.exists()


def test_sale_when_its_approval_is_being_taken_back_then_approves_anew_and_is_filled(world: World):
    approval = approved(world)
    left(world, approval, 10**30)
    row = revocation_request(approval_id=approval.pk, by="olga")
    taken: Any = revocation_execute(revocation_id=row.pk, ports=world.ports)
    position = row.order.position
    assert position is not None
    sale = world.ask_exit(position)
    world.execute(sale)
    purposes = [(item.purpose, item.nonce) for item in sale.attempts.order_by("pk")]
    assert purposes == [("approve", taken.nonce + 1), ("swap", taken.nonce + 2)]
    world.chain.mine()
    assert world.settle(sale) is OrderStatus.FILLED


def stuck(world: World) -> TxAttempt:
    """Return a revocation that is not mined at its price and has had its time."""
    approval = approved(world)
    left(world, approval, 10**30)
    row = revocation_request(approval_id=approval.pk, by="olga")
    attempt: Any = revocation_execute(revocation_id=row.pk, ports=world.ports)
    world.chain.base_fee = attempt.max_fee_wei + 1
    world.chain.mine()
    world.age(row.order_id, seconds=REVOCATION_GIVES_WAY_S + 1)
    return TxAttempt.objects.get(pk=attempt.pk)


@pytest.mark.parametrize("is_signed", [False, True])
def test_revocation_when_a_sale_waits_behind_it_then_is_cancelled_and_the_sale_is_filled(
    world: World, is_signed: bool
):
    attempt = stuck(world)
    position = attempt.order.position
    assert position is not None
    sale = world.ask_exit(position)
    if is_signed:
        world.execute(sale)
    for _ in range(2):
        order_settle(order_id=attempt.order_id, ports=world.ports)
    rivals = TxAttempt.objects.filter(nonce=attempt.nonce).order_by("pk")
    assert [item.purpose for item in rivals] == ["approve", "cancel"]
    world.chain.mine()
    order_settle(order_id=attempt.order_id, ports=world.ports)
    assert "given up" in told_of(Revocation.objects.get())
    attempt.order.refresh_from_db()
    assert attempt.order.status == "reverted"
    if not is_signed:
        world.execute(sale)
    world.chain.mine()
    assert world.settle(sale) is OrderStatus.FILLED
    world.assert_books_are_true()


def test_revocation_s_cancellation_when_reorganised_away_then_its_order_stands_and_reserves_nothing(
    world: World,
):
    attempt = stuck(world)
    position = attempt.order.position
    assert position is not None
    sale = world.ask_exit(position)
    for _ in range(2):
        order_settle(order_id=attempt.order_id, ports=world.ports)
    world.chain.mine()
    order_settle(order_id=attempt.order_id, ports=world.ports)
    position.refresh_from_db()
    reserved = position.reserved_raw
    cancel = TxAttempt.objects.get(purpose="cancel")
    assert cancel.block_number is not None
    fills_reverse(chain_key=world.profile.chain_key, above_block=cancel.block_number - 1)
    position.refresh_from_db()
    attempt.order.refresh_from_db()
    assert (attempt.order.status, position.reserved_raw) == ("reverted", reserved)
    assert reserved == sale.amount_in_raw


def test_revocation_when_no_sale_waits_behind_it_then_stays(world: World):
    attempt = stuck(world)
    order_settle(order_id=attempt.order_id, ports=world.ports)
    assert not TxAttempt.objects.filter(purpose="cancel").exists()


def test_revocation_when_mined_reorganised_and_mined_again_then_its_order_stands_and_gas_is_booked_once(
    world: World,
):
    approval = approved(world)
    left(world, approval, 5)
    row = revocation_request(approval_id=approval.pk, by="olga")
    attempt: Any = revocation_execute(revocation_id=row.pk, ports=world.ports)
    world.chain.mine()
    order_settle(order_id=row.order_id, ports=world.ports)
    row.refresh_from_db()
    assert told_of(row) == "taken back"
    attempt.refresh_from_db()
    fills_reverse(chain_key=world.profile.chain_key, above_block=attempt.block_number - 1)
    order_settle(order_id=row.order_id, ports=world.ports)
    row.refresh_from_db()
    row.order.refresh_from_db()
    assert (row.order.status, told_of(row)) == ("reverted", "taken back")
    world.assert_books_are_true()
