"""Nodes that fail or lie in front of the whole road: a clear word, nothing lost, and all goes on once they behave."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from django.db import connections

from apps.chains.models import Endpoint
from apps.discovery.models import Pair
from apps.domain.errors import EndpointLyingError, SniperError
from apps.engine import road as stages
from apps.engine.listener import Listener
from apps.state.models import Incident
from apps.trading.models import Order, Position, TxAttempt
from apps.trading.services.settlement import REBROADCAST_EVERY_S, SEND_STALE_S
from tests.chain_fixtures import RPC_TIMEOUT_S
from tests.fakes.rpc import FakeRpc, Fault, Manner
from tests.road.driving import Ground, Road

pytestmark = pytest.mark.chain

#: One of each kind; every single way is tried against the client itself (tests/chains/evm).
LIES: tuple[Manner, ...] = ("malformed", "wrong_types", "null_result", "huge_number", "close", "429", "500")
LISTENER_WAIT_MAX_S = 60.0


class Liar(FakeRpc):
    """A node that stands before a real one and passes everything on, until it is told to misbehave."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._behind = url

    def answer(self, method: str, params: list[Any]) -> Any:
        """Return what the real node answers, or what it is told to say."""
        if method in self.answers:
            return super().answer(method, params)
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        answer = requests.post(self._behind, json=request, timeout=RPC_TIMEOUT_S).json()
        if "error" not in answer:
            return answer["result"]
        error = answer["error"]
        return Fault(error["code"], error["message"], error.get("data"))


@pytest.fixture
def liar(base_ground: Ground) -> Iterator[Liar]:
    with Liar(base_ground.chain.url) as node:
        yield node


def ask_only(road: Road, liar: Liar) -> Road:
    """Let the system know the chain by this node alone."""
    Endpoint.objects.filter(chain__key=road.chain_key).update(url_http=liar.url, url_ws="")
    return road


@pytest.fixture
def fooled(base_ground: Ground, installation: Path, liar: Liar) -> Road:
    """The system, started while the node is honest."""
    return ask_only(Road(base_ground, installation), liar).start()


def struggle(road: Road) -> None:
    """Try everything that listener and workers try; no error may pass their guards."""
    with stages.guarded("listener/test"):
        road.step()
    with stages.guarded("listener/sweep"):
        road.sweep()
    for order_id in Order.objects.values_list("pk", flat=True):
        stages.execute(order_id)
        stages.settle(order_id)


def bought_in_the_end(road: Road) -> None:
    """Begin anew, as the listener does after a rest; all that was missed must come right."""
    road.pass_time(REBROADCAST_EVERY_S + SEND_STALE_S)
    road.restart()
    road.run_until(lambda: Position.objects.filter(status="open").count() == road.launches)
    assert Pair.objects.count() == road.launches
    road.assert_true()


@pytest.mark.parametrize("manner", LIES)
def test_node_lies_about_everything_then_nothing_is_lost(fooled: Road, liar: Liar, manner: Manner):
    fooled.launch()
    liar.misbehave(manner)
    with pytest.raises(SniperError):
        fooled.step()
    with stages.guarded("listener/sweep"):
        fooled.sweep()
    assert not Order.objects.exists()
    liar.behave()
    bought_in_the_end(fooled)


@pytest.mark.parametrize(
    ("method", "manner"),
    [
        ("eth_getLogs", "wrong_type_result"),
        ("eth_call", "null_result"),
        ("eth_call", "wrong_type_result"),
        ("eth_getBlockByNumber", "huge_number"),
        ("eth_getTransactionCount", "malformed"),
        ("eth_getBalance", "null_result"),
        ("eth_getBalance", "huge_number"),
        ("eth_sendRawTransaction", "null_result"),
        ("eth_sendRawTransaction", "huge_number"),
        ("eth_sendRawTransaction", "500"),
        ("eth_getTransactionReceipt", "wrong_type_result"),
        ("eth_getTransactionReceipt", "huge_number"),
        ("eth_feeHistory", "null_result"),
        ("eth_simulateV1", "wrong_type_result"),
    ],
)
def test_node_lies_about_one_thing_then_all_comes_right(
    fooled: Road, liar: Liar, method: str, manner: Manner
):
    fooled.launch()
    liar.misbehave(manner, method=method)
    struggle(fooled)
    fooled.mine()
    liar.behave()
    bought_in_the_end(fooled)


def test_send_when_the_answer_is_lost_then_the_chain_settles_it(fooled: Road, liar: Liar):
    fooled.launch()
    liar.misbehave("close", method="eth_sendRawTransaction")
    struggle(fooled)
    assert Order.objects.get().status in ("unknown", "filled"), fooled.story()
    liar.behave()
    bought_in_the_end(fooled)
    assert TxAttempt.objects.count() == 1


@pytest.mark.parametrize(
    ("method", "answer", "word"),
    [
        ("eth_chainId", lambda _: "0x1", "not chain"),
        ("eth_chainId", lambda _: "0x" + "f" * 64, "not chain"),
        (
            "eth_getBlockByNumber",
            lambda _: {"hash": "0x" + "ab" * 32, "number": "0x0", "timestamp": hex(int(time.time()))},
            "first block",
        ),
    ],
)
def test_node_of_another_chain_then_says_so_and_nothing_is_signed(
    base_ground: Ground,
    installation: Path,
    liar: Liar,
    method: str,
    answer: Callable[[Any], Any],
    word: str,
):
    road = ask_only(Road(base_ground, installation), liar)
    road.launch()
    liar.answers[method] = answer
    with pytest.raises(EndpointLyingError, match=word) as caught:
        road.start()
    assert caught.value.remedy
    assert not Pair.objects.exists()
    assert liar.sent == []
    liar.answers.clear()
    bought_in_the_end(road)


def test_node_shows_an_old_head_then_says_so_and_entries_wait(fooled: Road, liar: Liar):
    fooled.launch()
    honest = liar.answer

    def old(params: list[Any]) -> Any:
        del liar.answers["eth_getBlockByNumber"]
        block = honest("eth_getBlockByNumber", params)
        liar.answers["eth_getBlockByNumber"] = old
        return block | {"timestamp": hex(int(time.time()) - 600)} if params[0] == "latest" else block

    liar.answers["eth_getBlockByNumber"] = old
    with pytest.raises(EndpointLyingError, match="behind") as caught:
        fooled.restart()
    assert caught.value.remedy
    struggle(fooled)
    assert not Order.objects.exists()
    liar.answers.clear()
    bought_in_the_end(fooled)


# -- two chains, one listener ---------------------------------------------------------------
@contextmanager
def listening() -> Iterator[None]:
    """Run the real listener in a thread of its own."""
    listener = Listener()
    loops: list[asyncio.AbstractEventLoop] = []
    failures: list[BaseException] = []

    async def listen() -> None:
        loops.append(asyncio.get_running_loop())
        await listener.run()

    def run() -> None:
        try:
            asyncio.run(listen())
        except BaseException as error:  # noqa: BLE001  # told below
            failures.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        loops[0].call_soon_threadsafe(listener.stop)
        thread.join(timeout=LISTENER_WAIT_MAX_S)
    assert not thread.is_alive()
    assert failures == []


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LISTENER_WAIT_MAX_S
    while not condition():
        assert time.monotonic() < deadline, list(Incident.objects.values_list("code", "title", "detail"))
        time.sleep(0.05)


@pytest.mark.parametrize("manner", ["hang", "malformed"])
def test_node_of_one_chain_fails_then_the_other_goes_on_and_an_incident_names_the_remedy(
    base_ground: Ground, bsc_ground: Ground, installation: Path, liar: Liar, manner: Manner
):
    base = ask_only(Road(base_ground, installation), liar)
    bsc = Road(bsc_ground, installation).start()
    base.restart()
    first, second = base.launch(), bsc.launch()
    liar.misbehave(manner)
    with listening():
        wait_for(lambda: Pair.objects.filter(pool_address__iexact=second.pair).exists())
        wait_for(lambda: Incident.objects.filter(dedup_key=f"listener/{base.chain_key}").exists())
        assert Incident.objects.get(dedup_key=f"listener/{base.chain_key}").remedy
        assert not Pair.objects.filter(pool_address__iexact=first.pair).exists()
        liar.behave()
        wait_for(lambda: Pair.objects.filter(pool_address__iexact=first.pair).exists())
        wait_for(lambda: Incident.objects.get(dedup_key=f"listener/{base.chain_key}").resolved_at is not None)
    for road in (base, bsc):
        road.restart()
    base.run_until(lambda: Position.objects.filter(chain_key=base.chain_key).exists())
    bsc.run_until(lambda: Position.objects.filter(chain_key=bsc.chain_key).exists())
    for road in (base, bsc):
        road.assert_book_is_chain()
        assert road.reconcile().is_equal


# -- subscriptions over several endpoints -----------------------------------------------------
NOBODY = "ws://127.0.0.1:9"


def test_subscription_of_the_first_endpoint_is_dead_then_the_second_brings_the_blocks(
    base_ground: Ground, installation: Path, liar: Liar
):
    road = Road(base_ground, installation)
    first = Endpoint.objects.get(chain__key=road.chain_key)
    Endpoint.objects.filter(pk=first.pk).update(url_ws=NOBODY, weight=200)
    Endpoint.objects.create(chain=first.chain, url_http=liar.url, url_ws=liar.url_ws, weight=100)
    road.start()
    with listening():
        liar.wait_for_subscribers(timeout_s=LISTENER_WAIT_MAX_S)
        launch = road.launch()
        liar.push("newHeads", road.rpc("eth_getBlockByNumber", "latest", False))
        wait_for(lambda: Pair.objects.filter(pool_address__iexact=launch.pair).exists())


def test_no_endpoint_offers_a_living_subscription_then_blocks_are_asked_for(
    base_ground: Ground, installation: Path
):
    road = Road(base_ground, installation)
    Endpoint.objects.filter(chain__key=road.chain_key).update(url_ws=NOBODY)
    road.start()
    with listening():
        wait_for(lambda: Incident.objects.filter(dedup_key=f"listener/{road.chain_key}").exists())
        for _ in range(2):  # each within the time that polling takes, not that of another connection
            found = Pair.objects.filter(pool_address__iexact=road.launch().pair)
            wait_for(found.all().exists)
