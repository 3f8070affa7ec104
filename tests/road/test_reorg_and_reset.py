"""Blocks that we built upon go away: by a reorganisation, a chain older than the book, a chain made anew."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from apps.discovery.models import Pair
from apps.domain.order import OrderStatus
from apps.engine import wiring
from apps.sandbox.chainspec import CHAINS
from apps.sandbox.rows import rows_write
from apps.state.models import Incident
from apps.trading.models import FillRecord, JournalEntry, Opportunity, Order, Position, TxAttempt
from apps.trading.services.orders import REST_AFTER_REVERT_S
from apps.trading.services.settlement import REBROADCAST_EVERY_S
from tests.chain_fixtures import ACCOUNT_BALANCE_WEI, running_anvil
from tests.road.driving import ETHER, Ground, Road

pytestmark = pytest.mark.chain

BASE = CHAINS[0]
DUMP_WAIT_MAX_S = 30.0


class Past:
    """A moment of the chain to go back to."""

    def __init__(self, road: Road) -> None:
        self._road = road
        self._snapshot = road.rpc("evm_snapshot")
        self.block = int(road.rpc("eth_blockNumber"), 16)

    def transactions_since(self) -> list[str]:
        """Return the raw transactions of the blocks since then."""
        head = int(self._road.rpc("eth_blockNumber"), 16)
        blocks = (
            self._road.rpc("eth_getBlockByNumber", hex(number), False)
            for number in range(self.block + 1, head + 1)
        )
        return [
            self._road.rpc("eth_getRawTransactionByHash", tx_hash)
            for block in blocks
            for tx_hash in block["transactions"]
        ]

    def return_to(self, *, blocks: int = 4) -> None:
        """Take all blocks since then away and put others in their place."""
        assert self._road.rpc("evm_revert", self._snapshot)
        self._road.rpc("evm_increaseTime", hex(1))  # so that the new blocks differ from the old
        self._road.mine(blocks)


def codes() -> set[str]:
    return set(Incident.objects.values_list("code", flat=True))


def test_block_of_a_fill_goes_away_then_is_reversed_sent_again_and_booked_again(road: Road):
    launch = road.launch()
    road.mine()
    past = Past(road)
    _, position = road.bought(launch)
    first = FillRecord.objects.get()
    past.return_to()
    road.step()
    first.refresh_from_db()
    assert first.reversed_at is not None
    assert Order.objects.get().status == OrderStatus.UNKNOWN.value, road.story()
    position.refresh_from_db()
    assert position.quantity_raw == 0
    road.assert_book_is_chain()
    assert {"REORG", "REORG_OF_FILLS"} <= codes()
    road.pass_time(REBROADCAST_EVERY_S)
    road.run_until(lambda: Order.objects.get().status == OrderStatus.FILLED.value)
    assert road.position_of(launch).quantity_raw == road.market.balance(launch.token, road.owner) > 0
    assert FillRecord.objects.filter(reversed_at=None).count() == 1
    road.assert_true()


def test_block_of_a_sale_goes_away_then_position_is_open_again_and_sold_once(road: Road):
    launch, _ = road.bought()
    road.mine()
    past = Past(road)
    road.pass_time(60)
    road.sold(launch)
    past.return_to()
    road.step()
    assert road.position_of(launch).status == "open"
    road.assert_book_is_chain()
    road.pass_time(REBROADCAST_EVERY_S)
    road.sold(launch)
    assert Order.objects.filter(side="sell", status="filled").count() == 1
    road.assert_true()


def test_block_of_a_pair_goes_away_for_good_then_no_position_is_left(road: Road):
    past = Past(road)
    launch, _ = road.bought()
    past.return_to()
    road.step()
    assert Pair.objects.get().removed_at is not None
    road.assert_book_is_chain()
    road.pass_time(REBROADCAST_EVERY_S)
    road.run_until(lambda: Order.objects.get().status in ("reverted", "cancelled", "dropped"))
    assert not Position.objects.filter(status="open", quantity_raw__gt=0).exists(), road.story()
    assert not Position.objects.exclude(status="closed").exists(), road.story()
    road.assert_true()
    assert launch.pair.lower() == Pair.objects.get().pool_address.lower()


def test_block_of_a_pair_goes_away_and_comes_back_elsewhere_then_it_is_the_same_pair(road: Road):
    past = Past(road)
    launch, _ = road.bought()
    pair = road.pair_of(launch)
    raw = past.transactions_since()
    past.return_to()
    road.step()
    road.rpc("anvil_setBalance", launch.deployer.address, hex(ACCOUNT_BALANCE_WEI))
    for transaction in raw:
        road.rpc("eth_sendRawTransaction", transaction)
        road.mine()
    road.run_until(lambda: Order.objects.get().status == OrderStatus.FILLED.value)
    again = Pair.objects.get()
    assert (again.pk, again.removed_at) == (pair.pk, None)
    assert again.created_block_hash != pair.created_block_hash
    assert road.position_of(launch).status == "open"
    road.assert_true()


def test_chain_flips_between_two_histories_then_book_follows_each_time(road: Road):
    road.launch()
    road.mine()
    for _ in range(3):
        past = Past(road)
        road.run_until(lambda: Position.objects.filter(quantity_raw__gt=0).exists())
        past.return_to()
        road.step()
        road.assert_book_is_chain()
        road.pass_time(REBROADCAST_EVERY_S)
    road.run_until(lambda: Order.objects.get().status == OrderStatus.FILLED.value)
    road.assert_true()
    assert JournalEntry.objects.filter(kind="reversal").count() >= 6


# -- two entries of one opportunity -------------------------------------------------------
def entry_beaten_then_bought_again(road: Road) -> Past:
    """Let an entry revert because somebody was quicker, and a second one be filled; return the time before."""
    launch = road.launch()
    road.mine()
    past = Past(road)
    with road.blocks_held():
        road.step()
        assert Order.objects.get().status == OrderStatus.SUBMITTED.value, road.story()
        road.overtake(launch, native=ETHER // 4)
        road.mine()
    road.step()
    assert Order.objects.get().status == OrderStatus.REVERTED.value, road.story()
    road.pass_time(2 * REST_AFTER_REVERT_S)
    road.run_until(lambda: Position.objects.filter(status="open").exists())
    assert list(Order.objects.order_by("id").values_list("status", flat=True)) == ["reverted", "filled"]
    return past


def test_blocks_of_a_reverted_entry_and_its_successor_go_away_then_only_one_is_bought(road: Road):
    past = entry_beaten_then_bought_again(road)
    past.return_to()
    road.step()
    assert set(Order.objects.values_list("status", flat=True)) <= {"unknown", "submitted"}, road.story()
    road.pass_time(REBROADCAST_EVERY_S)
    road.run_until(lambda: not Order.objects.filter(status__in=("unknown", "submitted")).exists())
    assert list(Order.objects.order_by("id").values_list("status", flat=True)) == ["cancelled", "filled"]
    assert Opportunity.objects.get().status == "entered"
    assert Position.objects.get().status == "open"
    road.assert_true()


def test_reverted_entry_and_its_successor_are_both_mined_after_all_then_both_are_booked(road: Road):
    past = entry_beaten_then_bought_again(road)
    ours = [
        "0x" + bytes(payload).hex()
        for payload in TxAttempt.objects.order_by("nonce").values_list("payload", flat=True)
    ]
    past.return_to()
    for transaction in ours:
        road.rpc("eth_sendRawTransaction", transaction)
        road.mine()
    road.run_until(lambda: Order.objects.filter(status=OrderStatus.FILLED.value).count() == 2)
    position = Position.objects.get()
    assert position.status == "open"
    assert position.quantity_raw == road.held(position.pair.base.address) > 0
    assert FillRecord.objects.filter(reversed_at=None).count() == 2
    road.assert_true()
    road.pass_time(60)
    road.run_until(lambda: Position.objects.get().status == "closed")
    road.assert_true()


# -- other chains under the same name -----------------------------------------------------
@contextmanager
def moved_to(road: Road, **ways: Any) -> Iterator[None]:
    """Let another process serve the chain, as after a restart of the sandbox."""
    with running_anvil(chain_id=BASE.chain_id, **ways) as chain:
        ground = Ground.lay(BASE, chain)
        rows_write(ground.at, seed=1)
        road.stand_on(ground)
        yield
        ground.rpc.close()


def test_chain_made_anew_then_incident_and_nothing_of_the_old_one_is_held(installation: Path):
    with running_anvil(chain_id=BASE.chain_id) as chain:
        road = Road(Ground.lay(BASE, chain), installation).start()
        launch, _ = road.bought()
        road.assert_true()
    with moved_to(road):
        road.rpc(
            "anvil_setBalance", road.owner, hex(20 * ETHER)
        )  # as the sandbox does for a wallet without any
        road.restart()
        incident = Incident.objects.get(code="CHAIN_RESET")
        assert incident.remedy
        assert not Position.objects.exclude(status="closed").filter(quantity_raw__gt=0).exists(), road.story()
        road.pass_time(120)
        road.run_until(lambda: not Order.objects.filter(status__in=("unknown", "submitted")).exists())
        assert not Position.objects.exclude(status="closed").exists(), road.story()
        road.assert_true()
        other, _ = road.bought()
        assert road.pair_of(other).pk != Pair.objects.get(pool_address__iexact=launch.pair).pk
        road.assert_true()


def test_chain_made_anew_while_processes_live_then_they_trade_on_the_new_one(
    installation: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(wiring, "_ROWS_KEPT_S", 0.0)  # five seconds have passed
    with running_anvil(chain_id=BASE.chain_id) as chain:
        road = Road(Ground.lay(BASE, chain), installation).start()
        road.bought()
    with moved_to(road):
        road.rpc("anvil_setBalance", road.owner, hex(20 * ETHER))
        road.reconnect()
        road.pass_time(120)
        road.bought()
        road.assert_true()


def test_chain_comes_back_older_than_the_book_then_the_book_goes_back_and_trades_on(
    installation: Path, tmp_path: Path
):
    state = tmp_path / "state.json"
    dumping = ("--state", str(state), "--state-interval", "1")
    with running_anvil(chain_id=BASE.chain_id, options=dumping) as chain:
        road = Road(Ground.lay(BASE, chain), installation).start()
        early, _ = road.bought()
        older = dumped_copy(state)
        late, _ = road.bought()
        road.assert_true()
    with moved_to(road, options=("--load-state", str(older))):
        road.restart()
        assert "CHAIN_RESET" not in codes(), road.story()
        assert "REORG" in codes(), road.story()
        road.assert_book_is_chain()
        assert road.pair_of(early).removed_at is None
        assert road.pair_of(late).removed_at is not None
        road.pass_time(REBROADCAST_EVERY_S)
        road.run_until(lambda: not Order.objects.filter(status__in=("unknown", "submitted")).exists())
        assert road.position_of(early).status == "open"
        assert not Position.objects.exclude(pair=road.pair_of(early)).exclude(status="closed").exists()
        road.assert_true()


def dumped_copy(state: Path) -> Path:
    """Wait until the chain has written down what it is now, and keep that."""
    before = time.time()
    deadline = time.monotonic() + DUMP_WAIT_MAX_S
    while not (state.is_file() and state.stat().st_mtime > before + 1):
        assert time.monotonic() < deadline, "the chain was not written down"
        time.sleep(0.05)
    kept = state.with_suffix(".older.json")
    shutil.copy(state, kept)
    return kept
