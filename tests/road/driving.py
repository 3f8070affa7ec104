"""The whole road in one process and one thread, on a real local chain, step by step.

What listener and workers do at their own times happens here when a test says so: ``step`` reads the chain as the
listener does, then works off the messages that were sent, as the workers do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from celery import current_app
from django.db import connection
from django.db.models import F
from eth_account import Account
from eth_account.signers.local import LocalAccount

from apps.discovery.models import Pair
from apps.domain.order import FINAL_STATUSES
from apps.engine import sweep, wiring
from apps.engine.blocks import ChainFollower
from apps.sandbox.chainspec import ChainSpec
from apps.sandbox.deploy import Deployment, chain_deploy
from apps.sandbox.report import ledger_balanced
from apps.sandbox.rows import rows_write
from apps.sandbox.rpc import SandboxRpc
from apps.state.models import Incident
from apps.state.services.config import active_config, config_change
from apps.state.services.engine import engine_start, installation_prepare
from apps.state.services.relay import audit_verify, relay_once
from apps.trading.models import Opportunity, Order, Position, Posting, TxAttempt
from apps.trading.services.ledger import books_imbalance
from apps.trading.services.reconciliation import WalletReport, wallet_reconcile
from apps.wallets.services.wallets import sandbox_wallet_prepare
from tests.chain_fixtures import (
    ACCOUNT_BALANCE_WEI,
    Launch,
    LocalChain,
    Market,
    Rpc,
    V2Dex,
    add_liquidity,
    calldata,
    deploy,
    read,
    transact_ok,
)

ETHER = 10**18
SUPPLY = 10**27
DEAD = "0x000000000000000000000000000000000000dEaD"
#: More than a follower looks back on a chain that it never read: what an earlier test did is out of its sight.
BLOCKS_OUT_OF_SIGHT = 60
MESSAGES_MAX = 500
STEPS_MAX = 12
OPEN_STATUSES = [status.value for status in set(type(next(iter(FINAL_STATUSES)))) - FINAL_STATUSES]


class Crash(BaseException):
    """The process dies here. No handler of ours may hold it up."""


class Inline(ThreadPoolExecutor):
    """A lane without a thread of its own: the work is done at once, and a crash in it is a crash."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


@dataclass(frozen=True, slots=True)
class Ground:
    """A chain with the sandbox's contracts on it, used by several tests one after the other."""

    spec: ChainSpec
    at: Deployment
    chain: LocalChain
    rpc: Rpc

    @classmethod
    def lay(cls, spec: ChainSpec, chain: LocalChain) -> Ground:
        """Deploy the sandbox's contracts."""
        return cls(spec, chain_deploy(spec, SandboxRpc(chain.url)), chain, Rpc(chain.url))

    @property
    def market(self) -> Market:
        """Return the exchange, to trade at."""
        return Market(
            self.chain,
            self.rpc,
            V2Dex(wrapped=self.at.wrapped, factory=self.at.factory, router=self.at.router, fee_bps=30),
        )


class Road:
    """The system on one chain."""

    def __init__(self, ground: Ground, data_dir: Path) -> None:
        self.stand_on(ground)
        self.data_dir = data_dir
        self.chain_key = ground.spec.key
        self.follower: ChainFollower | None = None
        self.launches = 0
        installation_prepare(mode="sandbox")
        self.let_quiet_launches_pass()
        self.owner = sandbox_wallet_prepare().address
        self.rpc("anvil_setBalance", self.owner, hex(20 * ETHER))
        rows_write(ground.at, seed=1)
        self.rpc("anvil_mine", hex(BLOCKS_OUT_OF_SIGHT))

    def let_quiet_launches_pass(self) -> None:
        """Only warn of the fitted probability of loss: it takes a launch without a market for a dead one; these have none."""
        self.configure(gates={"loss_probability": "warn"})

    def stand_on(self, ground: Ground) -> None:
        """Look at this chain from now on; the system learns of it by its rows."""
        self.ground, self.rpc, self.market = ground, ground.rpc, ground.market

    # -- the system's life ----------------------------------------------------------------
    def start(self) -> Road:
        """Start the engine and follow the chain."""
        engine_start(by="test", reason="test")
        self.restart()
        return self

    def restart(self) -> None:
        """Begin as new processes do: nothing is remembered but rows, and every message is lost."""
        self.lose_messages()
        wiring.forget_ports()
        self.reconnect()

    def reconnect(self) -> None:
        """Follow the chain anew, as the listener does after it was lost."""
        self.follower = ChainFollower(self.chain_key, wiring.chain_ports(self.chain_key), exits=Inline(1))
        self.follower.begin()

    def step(self) -> None:
        """Read what is new on the chain, then work off all messages."""
        assert self.follower is not None
        self.follower.advance()
        self.deliver()
        relay_once()

    def sweep(self) -> None:
        """Do what the listener does every second, then work off all messages."""
        sweep.sweep_all()
        self.deliver()

    def run(self, *, steps: int = 3) -> None:
        """Let so many blocks come, each with everything that follows from it."""
        for _ in range(steps):
            self.mine()
            self.step()
        self.step()

    def run_until(self, condition: Callable[[], bool]) -> None:
        """Let blocks come until the condition holds."""
        for _ in range(STEPS_MAX):
            if condition():
                return
            self.sweep()
            self.run(steps=1)
        raise AssertionError(f"not reached in {STEPS_MAX} blocks: {self.story()}")

    # -- messages -------------------------------------------------------------------------
    def deliver(self) -> list[str]:
        """Work off the messages in the broker and those that these send; return the tasks' names."""
        done: list[str] = []
        while (message := self._next_message()) is not None:
            name, args = message
            assert len(done) < MESSAGES_MAX, done[-10:]
            done.append(name)
            current_app.tasks[name](*args)
        return done

    def lose_messages(self) -> int:
        """Forget every message, as a killed broker does."""
        count = 0
        while self._next_message() is not None:
            count += 1
        return count

    def _next_message(self) -> tuple[str, list[Any]] | None:
        with current_app.connection_for_read() as broker, broker.channel() as channel:
            for queue in current_app.amqp.queues.values():
                bound = queue(channel)
                bound.declare()
                message = bound.get(no_ack=True)
                if message is not None:
                    return message.headers["task"], message.payload[0]
        return None

    # -- the chain ------------------------------------------------------------------------
    def mine(self, blocks: int = 1) -> None:
        """Mine at once."""
        self.rpc("anvil_mine", hex(blocks))

    @contextmanager
    def blocks_held(self) -> Iterator[None]:
        """Mine nothing by itself within: what is sent stays pending until ``mine``."""
        self.rpc("evm_setAutomine", False)
        try:
            yield
        finally:
            self.rpc("evm_setAutomine", True)

    def launch(
        self,
        contract: str = "StandardToken",
        *extra: object,
        burns: bool = True,
        renounces: bool = True,
        native: int = 10 * ETHER,
        payer: LocalAccount | None = None,
    ) -> Launch:
        """Launch a token from a new account; as it stands, one that every rule lets pass.

        ``payer`` gives that account its first coins; None: they come out of nowhere.
        """
        self.launches += 1
        deployer = Account.create()
        if payer is not None:
            transact_ok(self.rpc, payer, to=deployer.address, value=native + 10 * ETHER)
        else:
            self.rpc("anvil_setBalance", deployer.address, hex(ACCOUNT_BALANCE_WEI))
        at, market = self.ground.at, self.market
        token = deploy(self.rpc, deployer, contract, "Sample", "SMPL", 18, SUPPLY, at.router, *extra)
        pooled = SUPPLY * 95 // 100
        pair = add_liquidity(self.rpc, deployer, market.dex, token, token_amount=pooled, native_amount=native)
        if burns:
            held = read(self.rpc, pair, "balanceOf(address)", deployer.address, returns="uint256")
            data = calldata("transfer(address,uint256)", DEAD, held)
            transact_ok(self.rpc, deployer, to=pair, data=data)
        if renounces:
            transact_ok(self.rpc, deployer, to=token, data=calldata("renounceOwnership()"))
        return Launch(token, pair, deployer)

    def pump(self, launch: Launch, *, native: int = 8 * ETHER) -> LocalAccount:
        """Let somebody buy a lot; return who."""
        whale = self.market.buyer()
        assert self.market.buy(whale, launch.token, value=native)
        return whale

    def overtake(self, launch: Launch, *, native: int) -> None:
        """Let somebody buy before everybody who waits for the next block; nothing is mined yet."""
        quick = self.market.buyer().address
        self.rpc("anvil_impersonateAccount", quick)
        self.rpc(
            "eth_sendTransaction",
            {
                "from": quick,
                "to": self.market.dex.router,
                "data": self.market.buy_data(launch.token, quick),
                "value": hex(native),
                "gas": hex(400_000),
                "maxFeePerGas": hex(500 * 10**9),
                "maxPriorityFeePerGas": hex(400 * 10**9),
            },
        )

    # -- rows -----------------------------------------------------------------------------
    def pair_of(self, launch: Launch) -> Pair:
        """Return the pair of a launch; fails unless there is exactly one."""
        return Pair.objects.get(chain_key=self.chain_key, pool_address__iexact=launch.pair)

    def opportunity_of(self, launch: Launch) -> Opportunity:
        """Return the opportunity of a launch; fails unless there is exactly one."""
        return Opportunity.objects.get(pair__pool_address__iexact=launch.pair)

    def position_of(self, launch: Launch) -> Position:
        """Return the position in a launch; fails unless there is exactly one."""
        return Position.objects.get(pair__pool_address__iexact=launch.pair)

    def bought(self, launch: Launch | None = None) -> tuple[Launch, Position]:
        """Let a launch be bought, an honest one as it stands."""
        launch = launch or self.launch()
        self.run_until(lambda: Position.objects.filter(pair__pool_address__iexact=launch.pair).exists())
        return launch, self.position_of(launch)

    def sold(self, launch: Launch) -> Position:
        """Let blocks come until the position in a launch is sold."""
        self.run_until(lambda: self.position_of(launch).status == "closed")
        return self.position_of(launch)

    def configure(self, **sections: Mapping[str, Any]) -> None:
        """Change settings of the active configuration."""
        payload = active_config().config.model_dump(mode="json")
        for section, values in sections.items():
            payload[section] |= values
        config_change(payload=payload, by="test", reason="test")

    def pass_time(self, seconds: int) -> None:
        """Let everything that waits for a time be older by so much."""
        by = timedelta(seconds=seconds)
        for model, fields in (
            (Order, ("claimed_at",)),
            (TxAttempt, ("signed_at", "broadcast_at")),
            (Opportunity, ("claimed_at", "evaluate_after")),
            (Position, ("opened_at", "next_exit_at")),
            (Pair, ("registered_at",)),
        ):
            model.objects.update(**{field: F(field) - by for field in fields})

    # -- what must hold -------------------------------------------------------------------
    def reconcile(self) -> WalletReport:
        """Compare the books with the chain as the system does it."""
        ports = wiring.chain_ports(self.chain_key).execution
        return wallet_reconcile(chain_key=self.chain_key, wallet_key="trader", ports=ports)

    def assert_true(self) -> None:
        """Assert what must hold whenever nothing is under way."""
        assert not Order.objects.filter(status__in=OPEN_STATUSES).exists(), self.story()
        assert not TxAttempt.objects.filter(status__in=("signed", "sent")).exists(), self.story()
        assert ledger_balanced()
        assert books_imbalance() == {}
        self.assert_nothing_sent_twice()
        self.assert_book_is_chain()
        report = self.reconcile()
        assert report.is_equal, (report, self.story())
        while relay_once():
            pass
        audit = audit_verify()
        assert audit.is_whole, audit
        assert not Incident.objects.filter(code="UNEXPECTED_ERROR").exists(), self.story()

    def assert_book_is_chain(self) -> None:
        """Compare the wallet's book with the chain, token by token, without any code of the system's."""
        book: Counter[str] = Counter()
        rows = Posting.objects.filter(account="wallet:trader", chain_key=self.chain_key)
        for token, side, raw in rows.values_list("token_address", "side", "amount_raw"):
            book[token] += raw if side == "debit" else -raw
        assert dict(book) == {token: self.held(token) for token in book}, self.story()

    def held(self, token: str) -> int:
        """Return what the wallet holds on the chain; nothing of a token that the chain does not know."""
        if token == "native":
            return int(self.rpc("eth_getBalance", self.owner, "latest"), 16)
        if self.rpc("eth_getCode", token, "latest") == "0x":
            return 0
        return self.market.balance(token, self.owner)

    def assert_nothing_sent_twice(self) -> None:
        """Ask the chain about each transaction that was ever signed: at most one swap of an order is on it."""
        swaps: Counter[int] = Counter()
        mined = 0
        for attempt in TxAttempt.objects.filter(chain_key=self.chain_key):
            if self.rpc("eth_getTransactionReceipt", attempt.tx_hash) is not None:
                mined += 1
                swaps[attempt.order_id] += attempt.purpose == "swap"
        assert max(swaps.values(), default=0) <= 1, self.story()
        assert int(self.rpc("eth_getTransactionCount", self.owner, "latest"), 16) == mined, self.story()

    def story(self) -> str:
        """Return what happened, for the message of a failed test."""
        lines = [
            *(
                f"opportunity {o.pk} {o.status} {o.skip_code}: {o.skip_explanation}"
                for o in Opportunity.objects.all()
            ),
            *(f"order {o.pk} {o.side} {o.status}: {o.reason}" for o in Order.objects.order_by("id")),
            *(
                f"attempt {a.pk} {a.purpose} of {a.order_id} {a.status} {a.error}"
                for a in TxAttempt.objects.all()
            ),
            *(f"position {p.pk} {p.status} {p.exit_tag}" for p in Position.objects.order_by("id")),
            *(f"incident {i.code}: {i.title} {i.detail}" for i in Incident.objects.order_by("id")),
        ]
        return "\n".join(["", *lines])


@contextmanager
def crash_at_statement(number: int, *, matches: Callable[[str], bool]) -> Iterator[list[str]]:
    """Die right before the n-th (from 0) statement that matches. Yields the matching statements so far."""
    seen: list[str] = []

    def watch(execute: Any, sql: str, params: Any, many: Any, context: Any) -> Any:
        if matches(sql):
            if len(seen) == number:
                raise Crash(sql)
            seen.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        yield seen


def environment_of(settings: Any, data_dir: Path) -> None:
    """Give the process a data folder of its own."""
    settings.DATA_DIR = data_dir
    settings.ENV = replace(settings.ENV, data_dir=data_dir)
