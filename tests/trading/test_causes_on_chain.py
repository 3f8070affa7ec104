"""Balances that change without us, on a real chain with real contracts: booked, explained, shown on the position."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.core.management import call_command
from eth_account import Account

from apps.chains.evm.client import EvmClient
from apps.chains.evm.evidence import EvmEvidence
from apps.chains.selectors import endpoint_configs
from apps.domain.order import OrderStatus
from apps.engine import wiring
from apps.state.models import Incident
from apps.trading.models import JournalEntry, Position
from apps.trading.services.allowances import allowances_compare
from apps.trading.services.balances import balances_verify
from apps.trading.services.exits import exits_evaluate
from apps.trading.services.ledger import books_imbalance
from apps.trading.services.positions import exit_request
from apps.trading.services.reconciliation import Difference, native_difference_accept, wallet_reconcile
from apps.trading.services.revocations import (
    approval_of,
    revocation_execute,
    revocation_request,
    told_of,
)
from apps.trading.services.settlement import order_settle
from apps.wallets.services.nonces import nonces_next
from tests.chain_fixtures import Launch, Market, calldata, deploy, receipt_of, running_market, transact_ok
from tests.programs import ROOT
from tests.trading.test_on_chain import Trader, trader

__all__ = ["trader"]
pytestmark = pytest.mark.chain
SUITE = ROOT / "apps/sandbox/contracts/suite/compiled"
DEAD = "0x000000000000000000000000000000000000dEaD"


@pytest.fixture(scope="module")
def market() -> Iterator[Market]:
    with running_market() as market:
        yield market


@pytest.fixture
def witness(trader: Trader) -> Trader:
    """The trader, who can also ask the chain why."""
    profile = trader.ports.profile
    client = EvmClient.for_profile(profile, endpoint_configs(profile.chain_key))
    trader.ports = replace(trader.ports, evidence=EvmEvidence(client))
    return trader


def suite_token(market: Market, name: str, *arguments: object) -> str:
    return deploy(
        market.rpc, market.chain.accounts[0], json.loads((SUITE / f"{name}.json").read_text()), *arguments
    )


def bought(trader: Trader, launch: Launch) -> Position:
    order = trader.decide(trader.pair(launch))
    assert trader.carry_out(order.pk) is OrderStatus.FILLED
    assert trader.compare().is_equal
    return Position.objects.get(opportunity_id=order.opportunity_id)


def difference(trader: Trader) -> Difference:
    """Compare thoroughly; return the only difference, after which everything agrees."""
    [found] = _thorough(trader).differences
    assert found.adjusted
    assert _thorough(trader).is_equal
    assert books_imbalance() == {}
    assert balances_verify() == ()
    return found


def _thorough(trader: Trader) -> Any:
    return wallet_reconcile(
        chain_key=trader.ports.profile.chain_key, wallet_key="trader", ports=trader.ports, is_thorough=True
    )


def send(market: Market, token: str, to: str, amount: int) -> None:
    transact_ok(
        market.rpc, market.chain.accounts[0], to=token, data=calldata("transfer(address,uint256)", to, amount)
    )


def test_token_that_comes_unasked_then_it_is_an_airdrop_and_no_position(witness: Trader):
    token = suite_token(witness.market, "OwnerSeizes")
    send(witness.market, token, witness.owner, 77)
    found = difference(witness)
    assert (found.cause, found.chain_raw) == ("airdrop", 77)
    assert not Position.objects.exists()
    assert Incident.objects.get(code="TOKEN_AIRDROP").severity == "warning"


def test_more_of_a_held_token_sent_by_a_stranger_then_the_position_holds_it(witness: Trader):
    launch = witness.market.launch("StandardToken")
    position = bought(witness, launch)
    send(witness.market, launch.token, witness.owner, 1_000)
    assert difference(witness).cause == "foreign_transfer_in"
    position.refresh_from_db()
    assert position.found_raw == 1_000
    send(witness.market, launch.token, witness.owner, 5)
    assert difference(witness).cause == "foreign_transfer_in"  # the first one is not counted again


def test_tokens_moved_with_our_own_key_then_the_alarm_says_so(witness: Trader):
    launch = witness.market.launch("StandardToken")
    position = bought(witness, launch)
    half = position.quantity_raw // 2
    by_hand(witness, launch.token, calldata("transfer(address,uint256)", Account.create().address, half))
    native, token = sorted(_thorough(witness).differences, key=lambda item: not item.adjusted, reverse=False)[
        ::-1
    ]
    assert (token.cause, native.adjusted) == ("foreign_transfer_out", False)
    incident = Incident.objects.get(code="TOKEN_FOREIGN_TRANSFER_OUT")
    assert incident.severity == "critical"
    position.refresh_from_db()
    assert position.lost_raw == half


def by_hand(trader: Trader, to: str, data: str) -> None:
    """Send from the wallet's own address, as whoever has its key could."""
    rpc = trader.market.rpc
    rpc("anvil_impersonateAccount", trader.owner)
    tx_hash = rpc("eth_sendTransaction", {"from": trader.owner, "to": to, "data": data, "gas": hex(200_000)})
    assert receipt_of(rpc, tx_hash)["status"] == "0x1"
    rpc("anvil_stopImpersonatingAccount", trader.owner)


@pytest.mark.parametrize(
    ("name", "signature", "cause"),
    [
        ("OwnerSeizes", "recoverTokens(address,address,uint256)", "taken"),
        ("OwnerBurnsHolders", "burn(address,uint256)", "burned"),
    ],
)
def test_all_tokens_gone_by_their_owners_power_then_the_position_is_shown_so(
    witness: Trader, name: str, signature: str, cause: str
):
    launch = witness.market.pool(suite_token(witness.market, name))
    position = bought(witness, launch)
    rest = position.quantity_raw if cause == "taken" else 100
    arguments = (witness.owner, launch.deployer.address, rest) if cause == "taken" else (witness.owner, rest)
    witness.market.call_as_deployer(launch, signature, *arguments)
    assert witness.market.balance(launch.token, witness.owner) == 0
    assert difference(witness).cause == cause
    position.refresh_from_db()
    assert (position.status, position.exit_tag, position.quantity_raw) == ("closed", "tokens_left", 0)
    assert position.realised_usd_micros is not None
    assert position.realised_usd_micros < 0
    entry = JournalEntry.objects.filter(kind="adjust").latest("id")
    assert cause in entry.description


def test_token_that_rewrites_our_balance_then_it_is_called_hostile(witness: Trader):
    launch = witness.market.pool(suite_token(witness.market, "OwnerRebases", DEAD))
    position = bought(witness, launch)
    witness.market.call_as_deployer(launch, "rebase(uint256,uint256)", 1, 1_000)
    assert difference(witness).cause == "silent_change"
    assert Incident.objects.get(code="TOKEN_SILENT_CHANGE").severity == "critical"
    position.refresh_from_db()
    assert position.lost_raw > 0


def test_wallet_that_a_token_lists_then_it_is_frozen_until_it_is_let_go(witness: Trader):
    launch = witness.market.launch("BlacklistToken", False)
    bought(witness, launch)
    assert _thorough(witness).frozen == ()
    witness.market.call_as_deployer(launch, "addBots(address[])", [witness.owner])
    assert _thorough(witness).frozen == (launch.token,)
    incident = Incident.objects.get(code="TOKEN_FROZEN")
    assert incident.resolved_at is None
    witness.market.call_as_deployer(launch, "delBot(address)", witness.owner)
    assert _thorough(witness).frozen == ()
    incident.refresh_from_db()
    assert incident.resolved_at is not None


def sell(trader: Trader, position: Position) -> None:
    exit_request(position_id=position.pk, by="test")
    [sale] = exits_evaluate(
        chain_key=trader.ports.profile.chain_key, ports=trader.ports, head=trader.reader.head()
    )
    assert trader.carry_out(sale) is OrderStatus.FILLED


def test_allowances_after_a_sale_then_nothing_is_left_to_take(witness: Trader):
    sell(witness, bought(witness, witness.market.launch("StandardToken")))
    [left] = allowances_compare(
        chain_key=witness.ports.profile.chain_key, wallet_key="trader", ports=witness.ports
    )
    assert (left.spender, left.amount_raw) == (witness.market.dex.router.lower(), 0)


def test_approval_that_was_left_then_is_shown_and_revoked_with_its_gas_booked(witness: Trader):
    position = bought(witness, witness.market.launch("StandardToken"))
    token, router = position.pair.base.address, witness.market.dex.router
    given = {"wallet_key": "trader", "ports": witness.ports}
    chain_key = witness.ports.profile.chain_key
    sell(witness, position)
    by_hand(witness, token, calldata("approve(address,uint256)", router, 2**256 - 1))
    native_difference_accept(chain_key=chain_key, by="test", reason="by hand", **given)  # type: ignore[arg-type]
    assert witness.compare().is_equal  # the nonce used by hand is taken up
    [left] = allowances_compare(chain_key=chain_key, **given)  # type: ignore[arg-type]
    assert left.amount_raw == 2**256 - 1
    before = witness.market.rpc("eth_getBalance", witness.owner, "latest")
    approval_id = approval_of(
        chain_key=chain_key, wallet_key="trader", token_address=token, spender=left.spender
    )
    row = revocation_request(approval_id=approval_id, by="test")
    assert revocation_request(approval_id=approval_id, by="test") == row  # asking twice makes one
    attempt = revocation_execute(revocation_id=row.pk, ports=witness.ports)
    assert attempt is not None
    assert revocation_execute(revocation_id=row.pk, ports=witness.ports) is None
    witness.market.rpc("anvil_mine", "0x1")
    status = order_settle(order_id=row.order_id, ports=witness.ports)
    row.refresh_from_db()
    assert (status, told_of(row)) == (OrderStatus.FILLED, "taken back")
    assert witness.market.rpc("eth_getBalance", witness.owner, "latest") < before
    [left] = allowances_compare(chain_key=chain_key, **given)  # type: ignore[arg-type]
    assert left.amount_raw == 0
    assert witness.compare().is_equal
    count = witness.reader.transaction_count(witness.owner, pending=True)
    assert nonces_next(wallet_key="trader", chain_key=chain_key) == count


def test_reconcile_command_then_tells_equal_wallets_and_causes(witness: Trader, capsys: Any):
    wiring.forget_ports()
    launch = witness.market.launch("StandardToken")
    bought(witness, launch)
    chain_key = witness.ports.profile.chain_key
    call_command("reconcile", "--chain", chain_key, "--json")
    answer = json.loads(capsys.readouterr().out)
    [chain] = answer["chains"]
    assert answer["is_balanced"]
    assert [item["is_equal"] for item in chain["wallets"]] == [True]
    send(witness.market, launch.token, witness.owner, 9)
    call_command("reconcile")
    out = capsys.readouterr().out
    assert "foreign_transfer_in" in out
    assert "Journal: balanced" in out
    wiring.forget_ports()


# It moves the chain's clock, so that later purchases there would be past their deadline: it stands last.
def test_token_that_rebases_for_everybody_then_the_cause_is_a_rebase(witness: Trader):
    launch = witness.market.pool(suite_token(witness.market, "Rebasing"), pooled_tokens=20_000_000 * 10**9)
    position = bought(witness, launch)
    witness.market.rpc("evm_increaseTime", 3_601)
    witness.market.call_as_deployer(launch, "rebase()")
    assert difference(witness).cause == "rebase"
    position.refresh_from_db()
    assert position.found_raw > 0
