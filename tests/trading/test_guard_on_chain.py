"""What owners and holders do to a token that we hold, on a real chain: how many blocks pass until we are out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from apps.chains.evm.client import EvmClient
from apps.chains.evm.holdings import EvmHoldingReader
from apps.chains.selectors import endpoint_configs
from apps.discovery.models import Pair
from apps.discovery.services.listings import listing_of
from apps.discovery.services.pools import activity_store
from apps.domain.holding import HoldingQuestion
from apps.domain.order import OrderStatus
from apps.intelligence.logic.analyse import analyse
from apps.intelligence.logic.subject import Subject
from apps.risk.logic.judge import judge
from apps.risk.logic.record import findings_to_json
from apps.risk.models import GuardWatch, VerdictRecord
from apps.state.services.config import active_config
from apps.trading.models import DecisionRecord, FillRecord, Order, Position
from apps.trading.services.guard import guard_look, guard_simulate
from tests.chain_fixtures import Launch, Market, calldata, deploy, read, running_market, transact_ok
from tests.trading.test_on_chain import ETHER, TERMS, Trader, trader

__all__ = ["trader"]  # a fixture of the trading tests
pytestmark = pytest.mark.chain
QUIET_BLOCKS = 3


@pytest.fixture(scope="module")
def market() -> Iterator[Market]:
    with running_market() as market:
        yield market


@dataclass(slots=True)
class Watch:
    """A position with its guard, driven block by block."""

    trader: Trader
    launch: Launch
    pair: Pair
    holdings: EvmHoldingReader
    read_up_to: int = 0

    @property
    def market(self) -> Market:
        return self.trader.market

    def head(self) -> int:
        return self.trader.reader.head().number

    def mine(self) -> None:
        self.market.rpc("anvil_mine", "0x1")

    def step(self) -> list[OrderStatus]:
        """Do what a new block means: store what pools did, look, simulate, and carry out what is due."""
        head = self.trader.reader.head()
        listing = listing_of(self.pair)
        reserves, swaps = self.trader.reader.pool_activity([listing], self.read_up_to + 1, head.number)
        activity_store(
            chain_key=self.pair.chain_key, reserves=reserves, swaps=swaps, quote_price_usd_micros=None
        )
        self.read_up_to = head.number
        given: dict[str, Any] = {"chain_key": self.pair.chain_key, "ports": self.trader.ports, "head": head}
        found = guard_look(holdings=self.holdings, **given)
        done = [self.trader.carry_out(order_id) for order_id in found.order_ids]
        later = guard_simulate(position_ids=found.to_simulate, time_max_s=5, **given)
        return done + [self.trader.carry_out(order_id) for order_id in later]

    def blocks_until_out(self, change: Callable[[Watch], None]) -> int:
        """Let some quiet blocks pass, make the change, and return how many blocks it took until we had sold."""
        for _ in range(QUIET_BLOCKS):
            assert self.step() == []
            self.mine()
        change(self)
        changed = self.head()
        assert self.step() == [OrderStatus.FILLED]
        sold = FillRecord.objects.get(side="sell")
        return sold.block_number - changed


@pytest.fixture
def hold(trader: Trader) -> Callable[..., Watch]:
    """Buy a token and judge it as its entry would have."""

    def buy(contract: str, *extra: object) -> Watch:
        launch = trader.market.launch(contract, *extra)
        pair = trader.pair(launch)
        listing = listing_of(pair)
        facts = trader.reader.pair_facts(
            listing, buyer=trader.owner, probe_amount_raw=ETHER // 12, previous_swaps_from=0
        )
        analysis = analyse(
            Subject(
                listing=listing,
                facts=facts,
                history=None,
                wrapped_native_address=listing.quote.address,
                now_ms=facts.block.at_ms,
            )
        )
        order = trader.decide(pair)
        entry = judge(analysis=analysis, config=active_config().config, config_revision=1)
        VerdictRecord.objects.update(findings=findings_to_json(entry.findings))
        assert trader.carry_out(order.pk) is OrderStatus.FILLED
        client = EvmClient.for_profile(trader.ports.profile, endpoint_configs(pair.chain_key))
        watch = Watch(trader, launch, pair, EvmHoldingReader(client))
        watch.read_up_to = watch.head()
        return watch

    return buy


def stranger(_: Watch) -> str:
    return "0x" + "ab" * 20


def hand_over(watch: Watch) -> None:
    watch.market.call_as_deployer(watch.launch, "transferOwnership(address)", stranger(watch))


def raise_tax(watch: Watch) -> None:
    watch.market.call_as_deployer(watch.launch, "setFees(uint16,uint16)", 300, 1_000)


def pull_liquidity(watch: Watch) -> None:
    deployer, launch, dex = watch.launch.deployer, watch.launch, watch.market.dex
    held = read(watch.market.rpc, launch.pair, "balanceOf(address)", deployer.address, returns="uint256")
    approval = calldata("approve(address,uint256)", dex.router, held)
    transact_ok(watch.market.rpc, deployer, to=launch.pair, data=approval)
    removal = calldata(
        "removeLiquidityETH(address,uint256,uint256,uint256,address,uint256)",
        launch.token, held // 2, 0, 0, deployer.address, 2**63,
    )  # fmt: skip
    transact_ok(watch.market.rpc, deployer, to=dex.router, data=removal)


def dump(watch: Watch) -> None:
    """The deployer sells a good part of what it kept."""
    deployer, token = watch.launch.deployer, watch.launch.token
    transact_ok(watch.market.rpc, deployer, to=token, data=watch.market.approve_data())
    data = watch.market.sell_data(token, deployer.address, 5 * 10**25)
    transact_ok(watch.market.rpc, deployer, to=watch.market.dex.router, data=data)


@pytest.mark.parametrize(
    ("contract", "extra", "change", "code"),
    [
        ("StandardToken", (), hand_over, "GUARD_OWNER_CHANGED"),
        ("TaxedToken", (TERMS,), raise_tax, "GUARD_TAX_RAISED"),
        ("StandardToken", (), pull_liquidity, "GUARD_LIQUIDITY_PULLED"),
        ("StandardToken", (), dump, "GUARD_HOLDER_DUMPED"),
    ],
    ids=["owner_change", "tax_rise", "liquidity_pull", "holder_dump"],
)
def test_token_gets_worse_then_we_are_out_within_two_blocks(
    hold: Callable[..., Watch],
    contract: str,
    extra: tuple[Any, ...],
    change: Callable[[Watch], None],
    code: str,
) -> None:
    watch = hold(contract, *extra)
    blocks = watch.blocks_until_out(change)
    [reason] = DecisionRecord.objects.get(exit_tag="guard").reasons
    position = Position.objects.get()
    print(f"{code}: {blocks} blocks between the change and our exit ({reason['detail']})")
    assert reason["code"] == code
    assert (position.status, position.exit_tag) == ("closed", "guard")
    assert blocks <= 2  # each transaction is a block of its own here: the approval, then the sale
    assert watch.trader.compare().is_equal


@pytest.mark.parametrize(
    ("contract", "extra", "call", "arguments"),
    [
        ("PausableToken", (), "pause()", ()),
        ("BlacklistToken", (False,), "addBots(address[])", ("us",)),
    ],
    ids=["pause", "blacklist"],
)
def test_holding_is_frozen_then_it_is_noticed_in_the_same_block_and_tried_at_once(
    hold: Callable[..., Watch], contract: str, extra: tuple[Any, ...], call: str, arguments: tuple[Any, ...]
) -> None:
    """A freeze is an accomplished fact: whoever is frozen cannot sell. It must be noticed, tried, and said."""
    watch = hold(contract, *extra)
    for _ in range(QUIET_BLOCKS):
        assert watch.step() == []
        watch.mine()
    watch.market.call_as_deployer(
        watch.launch, call, *([watch.trader.owner] if item == "us" else item for item in arguments)
    )
    changed = watch.head()
    assert watch.step() == [OrderStatus.REVERTED]
    found = GuardWatch.objects.get()
    assert found.triggered_block is not None
    print(
        f"{contract}: noticed after {found.triggered_block - changed} blocks, the sale reverts: {found.trigger_detail}"
    )
    assert (found.trigger_code, found.triggered_block) == ("GUARD_HOLDING_FROZEN", changed)
    assert Order.objects.get(side="sell").exit_tag == "guard"
    assert Position.objects.get().status == "open"  # the next try comes after a rest
    assert watch.trader.compare().is_equal


@pytest.mark.parametrize("contract", ["StandardToken", "TaxedToken"])
def test_people_trade_and_nothing_gets_worse_then_we_keep_holding(
    hold: Callable[..., Watch], contract: str
) -> None:
    watch = hold(contract, *((TERMS,) if contract == "TaxedToken" else ()))
    somebody = watch.market.buyer()
    for number in range(12):
        assert watch.step() == []
        if number % 3 == 0:
            assert watch.market.buy(somebody, watch.launch.token, value=ETHER // 5)
        elif number % 3 == 1:
            assert watch.market.sell(somebody, watch.launch.token)
        else:
            watch.mine()
    assert GuardWatch.objects.get().trigger_code == ""
    assert Position.objects.get().status == "open"


def test_owner_gives_up_ownership_then_we_keep_holding(hold: Callable[..., Watch]) -> None:
    watch = hold("StandardToken")
    assert watch.step() == []
    watch.market.call_as_deployer(watch.launch, "renounceOwnership()")
    assert watch.step() == []
    assert GuardWatch.objects.get().baseline["owner"] == ""


def test_tokens_are_looked_at_then_a_call_without_an_event_shows(hold: Callable[..., Watch]) -> None:
    watch = hold("TaxedToken", TERMS)
    before = watch.head()
    raise_tax(watch)
    [what] = watch.holdings.stirred(
        [watch.launch.token], first_block=before + 1, last_block=watch.head()
    ).values()
    assert "function" in what
    watch.mine()
    head = watch.head()
    assert watch.holdings.stirred([watch.launch.token], first_block=head, last_block=head) == {}


@pytest.mark.parametrize(
    ("contract", "extra", "movable"),
    [("StandardToken", (), True), ("NoReturnToken", (), True), ("SellBlockedToken", (), False)],
)
def test_holding_is_tried_then_it_says_whether_it_moves(
    trader: Trader, contract: str, extra: tuple[Any, ...], movable: bool
) -> None:
    if contract == "NoReturnToken":
        deployer = trader.market.chain.accounts[0]
        launch = trader.market.pool(
            deploy(trader.market.rpc, deployer, contract, "Sample", "SMPL", 18, 10**27)
        )
    else:
        launch = trader.market.launch(contract, *extra)
    pair = trader.pair(launch)
    assert trader.market.buy(trader.market.chain.accounts[1], launch.token, value=ETHER // 10)
    holder = trader.market.chain.accounts[1].address
    client = EvmClient.for_profile(trader.ports.profile, endpoint_configs(pair.chain_key))
    question = HoldingQuestion(
        token=launch.token,
        pool=launch.pair,
        holder=holder,
        amount_raw=trader.market.balance(launch.token, holder),
    )
    [answer] = EvmHoldingReader(client).look([question]).values()
    assert answer.is_movable is movable
    assert answer.owner == (None if contract == "NoReturnToken" else launch.deployer.address.lower())
