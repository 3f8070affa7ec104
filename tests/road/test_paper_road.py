"""Trading on paper goes the same road over a real chain, and nothing of it ever reaches that chain."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests

from apps.chains.models import Chain, Endpoint, PaperBalance, PaperTransaction
from apps.domain.errors import EpochClosedError
from apps.engine import wiring
from apps.sandbox.rows import rows_write
from apps.state.services.engine import installation_prepare, killswitch_pull
from apps.trading.models import Opportunity, Order, Position, Posting
from apps.trading.services.attempts import signed_of
from apps.trading.services.reconciliation import fills_verify
from apps.wallets.services.wallets import wallet_create
from tests.road.driving import BLOCKS_OUT_OF_SIGHT, ETHER, Ground, Road

pytestmark = pytest.mark.chain

START_COINS = Decimal(7)


class Wire(ThreadingHTTPServer):
    """Stands between the system and the node: passes every request on and remembers its methods."""

    daemon_threads = True

    def __init__(self, target: str) -> None:
        self.target = target
        self.methods: Counter[str] = Counter()
        super().__init__(("127.0.0.1", 0), _Passer)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Passer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Wire

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        asked = json.loads(body)
        self.server.methods.update(item["method"] for item in (asked if isinstance(asked, list) else [asked]))
        answer = requests.post(
            self.server.target, data=body, headers={"Content-Type": "application/json"}, timeout=30
        )
        self.send_response(answer.status_code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    def log_message(self, *_: Any) -> None:
        return


@contextmanager
def wire_to(url: str) -> Iterator[Wire]:
    wire = Wire(url)
    thread = threading.Thread(target=wire.serve_forever, daemon=True)
    thread.start()
    try:
        yield wire
    finally:
        wire.shutdown()
        wire.server_close()
        thread.join()


class PaperRoad(Road):
    """The system in paper mode on one chain, which it takes for a real one."""

    def __init__(self, ground: Ground, data_dir: Path, wire: Wire) -> None:
        self.stand_on(ground)
        self.wire = wire
        self.data_dir, self.chain_key, self.follower, self.launches = data_dir, ground.spec.key, None, 0
        installation_prepare(mode="paper")
        self.let_quiet_launches_pass()
        self.owner = wallet_create(key="trader", mode="paper").address
        chain = rows_write(ground.at, seed=1)
        Chain.objects.filter(pk=chain.pk).update(is_sandbox=False, genesis_hash="", profile_of="")
        Endpoint.objects.filter(chain=chain).update(url_http=wire.url, url_ws="")
        self.rpc("anvil_mine", hex(BLOCKS_OUT_OF_SIGHT))

    def assert_book_is_chain(self) -> None:
        """On paper the chain's part is the paper account's."""
        book: Counter[str] = Counter()
        rows = Posting.objects.filter(account="wallet:trader", chain_key=self.chain_key)
        for token, side, raw in rows.values_list("token_address", "side", "amount_raw"):
            book[token.lower()] += raw if side == "debit" else -raw
        held = PaperBalance.objects.filter(owner=self.owner.lower(), chain_key=self.chain_key)
        assert dict(book) == dict(held.values_list("token_address", "amount_raw")), self.story()

    def assert_nothing_sent_twice(self) -> None:
        """On paper: nothing was sent at all."""
        sending = [name for name in self.wire.methods if "send" in name.lower() or "anvil" in name.lower()]
        assert sending == []
        assert self.wire.methods["eth_getBlockByNumber"] > 0  # the wire was really in between
        assert int(self.rpc("eth_getTransactionCount", self.owner, "latest"), 16) == 0
        assert int(self.rpc("eth_getBalance", self.owner, "latest"), 16) == 0
        mined = PaperTransaction.objects.filter(status="mined").values_list("payload", flat=True)
        orders = [json.loads(bytes(payload))["order"] for payload in mined]
        assert len(orders) == len(set(orders))


@pytest.fixture
def paper(base_ground: Ground, installation: Path, settings: Any) -> Iterator[PaperRoad]:
    coins = {"*": Decimal(1), base_ground.spec.key: START_COINS}
    settings.ENV = replace(settings.ENV, mode="paper", paper_coins=coins)
    with wire_to(base_ground.chain.url) as wire:
        road = PaperRoad(base_ground, installation, wire)
        road.start()
        yield road


def test_honest_launch_on_paper_then_bought_and_sold_and_book_is_the_paper_account(paper: PaperRoad) -> None:
    launch, position = paper.bought()
    assert position.quantity_raw > 0
    paper.assert_true()
    paper.pump(launch)
    paper.run_until(lambda: Position.objects.get(pk=position.pk).status == "closed")
    position.refresh_from_db()
    assert position.exit_tag == "take_profit"
    paper.assert_true()
    held = PaperBalance.objects.get(token_address="native").amount_raw
    gain = position.proceeds_raw - position.cost_raw - position.fees_raw
    assert gain > 0
    assert held == int(START_COINS * ETHER) + gain


def test_trap_on_paper_then_refused_with_a_reason(paper: PaperRoad) -> None:
    launch = paper.launch("SellBlockedToken")
    paper.run_until(lambda: Opportunity.objects.filter(pair__pool_address__iexact=launch.pair).exists())
    paper.run()
    opportunity = paper.opportunity_of(launch)
    assert opportunity.skip_stage == "risk"
    assert not Order.objects.exists()
    paper.assert_true()


def test_processes_begin_anew_or_coins_are_set_otherwise_then_the_paper_account_stands(
    paper: PaperRoad, settings: Any
) -> None:
    paper.bought()
    settings.ENV = replace(settings.ENV, paper_coins={"*": Decimal(100)})
    paper.restart()
    paper.run()
    paper.assert_true()
    assert PaperBalance.objects.get(token_address="native").amount_raw < START_COINS * ETHER


def test_block_of_a_paper_fill_reorganised_away_then_booked_anew_once(paper: PaperRoad) -> None:
    _, position = paper.bought()
    row = PaperTransaction.objects.get()
    row.block_hash = "0x" + "ab" * 32
    row.save()
    position.fills.update(block_hash=row.block_hash)
    Order.objects.get().attempts.update(block_hash=row.block_hash)
    ports = wiring.chain_ports(paper.chain_key).execution
    assert len(fills_verify(chain_key=paper.chain_key, ports=ports)) == 1
    paper.run()
    assert fills_verify(chain_key=paper.chain_key, ports=ports) == ()
    paper.assert_true()


def test_kill_switch_on_paper_then_nothing_is_noted_any_more(paper: PaperRoad) -> None:
    ports = wiring.chain_ports(paper.chain_key).execution
    _, position = paper.bought()
    attempt = Order.objects.get().attempts.get()
    killswitch_pull(by="test", reason="test", close_positions=False)
    with pytest.raises(EpochClosedError):
        ports.sender.broadcast(signed_of(attempt, Order.objects.get()), side="buy")
    assert PaperTransaction.objects.count() == 1
    assert Position.objects.get().pk == position.pk
