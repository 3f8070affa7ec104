"""The same round trip under other conditions: other sizes, later sales, another wallet, in parts, behind another buyer.

Three rounds of scripts, because a sale must name an amount: the first learns what purchases bring, the second sells, the
third sells what only the second showed (tokens sent to a fresh wallet, balances that shrank). Requests and results only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from apps.chains.evm.probes_ground import Ground, Trade, probe_calls
from apps.chains.evm.simulate import PoolState
from apps.chains.evm.simulate_script import Account, Scene, Script, Step, Told
from apps.domain.market import RoundTrip
from apps.domain.money import BPS_ONE
from apps.domain.probes import Runner, TradeName, TradeProbe

#: The sale comes so many blocks after the purchase.
DELAYS: Mapping[TradeName, int] = {
    "after_100_blocks": 100,
    "after_7200_blocks": 7_200,
    "after_a_week": 50_400,
}
#: Or so long: many honest tokens make a buyer wait some seconds.
MINUTE_MS = 60_000
#: Sizes in tenths of the intended one.
SIZES: Mapping[TradeName, int] = {"intended_size": 10, "tenth_size": 1, "tenfold_size": 100}
#: Between two sales of one holder.
PAUSE_MS = 120_000
#: Played again with a minute's wait where the token lets nobody sell at once.
_PATIENT: tuple[TradeName, ...] = ("tenth_size", "tenfold_size", "in_parts", "second_buyer", "behind_seller")
NAMES: tuple[TradeName, ...] = (
    *SIZES,
    "same_block",
    "after_a_minute",
    *DELAYS,
    "fresh_wallet",
    "in_parts",
    "second_buyer",
    "behind_seller",
)
_NO_BUY = "the simulated purchase was not repeated"

Accounts = Mapping[str, Account]


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What purchases bring, by size, and what the second buyer gets after us. ``trades`` with None: unknown, see reason."""

    buys: Mapping[TradeName, Trade]
    second: Trade
    reasons: Mapping[TradeName, str]  # why a size could not be simulated at all

    @property
    def received_raw(self) -> int | None:
        """Return what we get for the intended amount, None when we get nothing or nothing is known."""
        trade = self.buys.get("intended_size")
        return None if trade is None else trade.got_raw


@dataclass(frozen=True, slots=True, kw_only=True)
class TradePlay:
    """The scripts of all trade probes on one ground. ``reserves`` are (token, wrapped) at its block, None when unknown."""

    ground: Ground
    reserves: PoolState | None
    runner: Runner

    def amount(self, name: TradeName) -> int:
        """Return how many coins a probe spends."""
        return max(1, self.ground.plan.amount_in_raw * SIZES.get(name, 10) // 10)

    # -- first round: what do purchases bring ---------------------------------------------

    def first(self) -> dict[str, Script]:
        """Return the purchases of each size, the second buyer's behind the intended one."""
        return {f"buy:{name}": self._purchase(name) for name in SIZES}

    def learned(self, accounts: Accounts) -> Learned:
        """Return what the first round showed."""
        buys: dict[TradeName, Trade] = {}
        reasons: dict[TradeName, str] = {}
        second = Trade(got_raw=None, tax_bps=None, gas_used=0, detail=_NO_BUY)
        for name in SIZES:
            account = accounts[f"buy:{name}"]
            if isinstance(account, str):
                reasons[name] = account
                continue
            before, buy, after = account[0]
            buys[name] = self.ground.bought(
                buy, before=before, after=after, amount_raw=self.amount(name), reserves=self.reserves
            )
            if name == "intended_size":
                reserves = self.ground.reserves_after([buy], before=self.reserves)
                before, buy, after = account[1]
                second = self.ground.bought(
                    buy, before=before, after=after, amount_raw=self.amount(name), reserves=reserves
                )
        return Learned(buys=buys, second=second, reasons=reasons)

    def _purchase(self, name: TradeName) -> Script:
        scenes = [Scene(ahead=1, steps=self._looked_at_buy(self.ground.plan.buyer, name))]
        if name == "intended_size":
            scenes.append(Scene(ahead=2, steps=self._looked_at_buy(self.ground.actor("second"), name)))
        return self._script(scenes, name)

    def _looked_at_buy(self, buyer: str, name: TradeName) -> tuple[Step, ...]:
        look = self.ground.balance(buyer)
        return (look, self.ground.buy(buyer, self.amount(name)), look)

    # -- second round: sales --------------------------------------------------------------

    def second(self, learned: Learned) -> dict[str, Script]:
        """Return the sales that are known enough to be played."""
        scripts: dict[str, Script] = {}
        for name in SIZES:
            trade = learned.buys.get(name)
            if trade is not None and trade.got_raw is not None:
                scripts[name] = self._sale(name, received_raw=trade.got_raw, sold_raw=trade.got_raw, delay=1)
        received = learned.received_raw
        if received is None:
            return scripts
        scripts["same_block"] = self._at_once(received)
        for name, delay in self._delays.items():
            scripts[name] = self._sale(name, received_raw=received, sold_raw=received, delay=delay)
        scripts["in_parts"] = self._parts(received, wait=1)
        scripts["sent"] = self._script(self._sent(received), "fresh_wallet")
        if learned.second.got_raw is not None:
            scripts["second_buyer"] = self._behind(received, learned.second.got_raw, wait=1)
            scripts["behind_seller"] = self._after_seller(received, learned.second.got_raw, wait=1)
        return scripts

    @property
    def _minute(self) -> int:
        return max(1, -(-MINUTE_MS // self.ground.stage.block_time_ms))

    @property
    def _delays(self) -> dict[TradeName, int]:
        return {"after_a_minute": self._minute, **DELAYS}

    def wait(self, accounts: Accounts) -> int:
        """Return after how many blocks a buyer can sell: the next one, else a minute's, else a hundred."""
        for name, blocks in (
            ("intended_size", 1),
            ("after_a_minute", self._minute),
            ("after_100_blocks", 100),
        ):
            account = accounts.get(name, "")
            if not isinstance(account, str) and account[-1][-1].ok:
                return blocks
        return 1

    def _at_once(self, received_raw: int) -> Script:
        ground, buyer = self.ground, self.ground.plan.buyer
        steps = (
            ground.buy(buyer, self.amount("same_block")),
            ground.approve(buyer, received_raw),
            ground.sell(buyer, received_raw),
        )
        return self._script([Scene(ahead=1, steps=steps)], "same_block")

    def _sale(self, name: TradeName, *, received_raw: int, sold_raw: int, delay: int) -> Script:
        ground, buyer = self.ground, self.ground.plan.buyer
        first = (ground.buy(buyer, self.amount(name)), ground.approve(buyer, received_raw))
        then = (ground.balance(buyer), ground.sell(buyer, sold_raw))
        return self._script([Scene(ahead=1, steps=first), Scene(ahead=1 + delay, steps=then)], name)

    def _parts(self, received_raw: int, *, wait: int) -> Script:
        ground, buyer = self.ground, self.ground.plan.buyer
        half = received_raw // 2
        scenes = [
            Scene(
                ahead=1,
                steps=(ground.buy(buyer, self.amount("in_parts")), ground.approve(buyer, received_raw)),
            ),
            Scene(ahead=1 + wait, steps=(ground.sell(buyer, half),)),
            Scene(ahead=1 + wait + self._pause, steps=(ground.sell(buyer, received_raw - half),)),
        ]
        return self._script(scenes, "in_parts")

    @property
    def _pause(self) -> int:
        """Return the blocks between two sales: honest tokens may ask for some seconds between trades."""
        return max(1, -(-PAUSE_MS // self.ground.stage.block_time_ms))

    def _behind(self, received_raw: int, second_raw: int, *, wait: int) -> Script:
        ground, us, other = self.ground, self.ground.plan.buyer, self.ground.actor("second")
        amount = self.amount("second_buyer")
        scenes = [
            Scene(ahead=1, steps=(ground.buy(us, amount), ground.approve(us, received_raw))),
            Scene(ahead=2, steps=(ground.buy(other, amount), ground.approve(other, second_raw))),
            Scene(ahead=2 + wait, steps=(ground.sell(other, second_raw), ground.sell(us, received_raw))),
        ]
        return self._script(scenes, "second_buyer")

    def _after_seller(self, first_raw: int, received_raw: int, *, wait: int) -> Script:
        """Return our purchase behind another's, whose sale at once makes the price fall below ours; then we sell."""
        ground, us, other = self.ground, self.ground.plan.buyer, self.ground.actor("second")
        amount = self.amount("behind_seller")
        scenes = [
            Scene(ahead=1, steps=(ground.buy(other, amount), ground.approve(other, first_raw))),
            Scene(ahead=2, steps=(ground.buy(us, amount), ground.approve(us, received_raw))),
            Scene(
                ahead=2 + wait,
                steps=(ground.sell(other, _kept(first_raw)), ground.sell(us, _kept(received_raw))),
            ),
        ]
        return self._script(scenes, "behind_seller")

    def _sent(self, received_raw: int) -> list[Scene]:
        ground, fresh = self.ground, self.ground.actor("fresh")
        buyer = ground.plan.buyer
        return [
            Scene(ahead=1, steps=(ground.buy(buyer, self.amount("fresh_wallet")),)),
            Scene(
                ahead=2,
                steps=(
                    ground.balance(fresh),
                    ground.transfer(buyer, fresh, received_raw),
                    ground.balance(fresh),
                ),
            ),
        ]

    # -- third round: what only the second showed -----------------------------------------

    def third(self, learned: Learned, accounts: Accounts) -> dict[str, Script]:
        """Return the sale from the fresh wallet, and later sales again with what is left of a shrunken balance."""
        received = learned.received_raw
        if received is None:
            return {}
        scripts: dict[str, Script] = {}
        arrived = self._arrived(accounts)
        if arrived:
            scripts["fresh_wallet"] = self._fresh(received, arrived)
        if self.wait(accounts) > 1:
            scripts |= self._patient(learned, self.wait(accounts))
        for name, delay in self._delays.items():
            left = _left(accounts.get(name, ""))
            if left is not None and 0 < left < received:
                scripts[f"again:{name}"] = self._sale(name, received_raw=received, sold_raw=left, delay=delay)
        return scripts

    def _patient(self, learned: Learned, wait: int) -> dict[str, Script]:
        """Return what is played again for a token that makes buyers wait."""
        scripts: dict[str, Script] = {}
        received, second = learned.received_raw, learned.second.got_raw
        for name in _PATIENT:
            bought = learned.buys.get(name)
            if name in SIZES and bought is not None and bought.got_raw is not None:
                scripts[f"again:{name}"] = self._sale(
                    name, received_raw=bought.got_raw, sold_raw=bought.got_raw, delay=wait
                )
        if received is not None:
            scripts["again:in_parts"] = self._parts(received, wait=wait)
        if received is not None and second is not None:
            scripts["again:second_buyer"] = self._behind(received, second, wait=wait)
            scripts["again:behind_seller"] = self._after_seller(received, second, wait=wait)
        return scripts

    def _fresh(self, received_raw: int, arrived_raw: int) -> Script:
        ground, fresh = self.ground, self.ground.actor("fresh")
        sale = (ground.approve(fresh, arrived_raw), ground.sell(fresh, arrived_raw))
        return self._script([*self._sent(received_raw), Scene(ahead=3, steps=sale)], "fresh_wallet")

    def _arrived(self, accounts: Accounts) -> int:
        sent = accounts.get("sent", "")
        if isinstance(sent, str):
            return 0
        before, transfer, after = sent[1]
        if not transfer.ok or before.word is None or after.word is None:
            return 0
        return after.word - before.word

    # -- the probes -----------------------------------------------------------------------

    def unplayed(self, accounts: Accounts) -> dict[TradeName, int]:
        """Return the later sales that the node did not play, with their delay: many fill all blocks in between."""
        return {name: delay for name, delay in DELAYS.items() if isinstance(accounts.get(name), str)}

    def probes(
        self, learned: Learned, accounts: Accounts, *, instead: Mapping[TradeName, RoundTrip]
    ) -> tuple[TradeProbe, ...]:
        """Return all probes out of the accounts of all rounds; ``instead`` stands in for what was not played."""
        found: list[TradeProbe] = []
        for name in NAMES:
            trip = self._trip_of(name, learned, accounts, instead)
            script = self._script_of(name, learned, accounts)
            lookers = frozenset({self.ground.actor("onlooker")})
            calls = () if script is None else probe_calls(script.scenes, lookers=lookers)
            found.append(TradeProbe(name=name, trip=trip, calls=calls))
        return tuple(found)

    def _script_of(self, name: TradeName, learned: Learned, accounts: Accounts) -> Script | None:
        if name in SIZES and name not in self.second(learned):
            return self._purchase(name)
        rounds = self.second(learned) | self.third(learned, accounts)
        return rounds.get(f"again:{name}") or rounds.get(name) or rounds.get("sent")

    def _trip_of(
        self,
        name: TradeName,
        learned: Learned,
        accounts: Accounts,
        instead: Mapping[TradeName, RoundTrip],
    ) -> RoundTrip:
        size: TradeName = name if name in SIZES else "intended_size"
        bought = learned.buys.get(size)
        blank = self._blank(name)
        if bought is None:
            return replace(blank, detail=learned.reasons.get(size, _NO_BUY))
        if bought.got_raw is None:
            return replace(blank, stage="buy_failed", detail=bought.detail)
        trip = replace(
            blank, received_raw=bought.got_raw, buy_tax_bps=bought.tax_bps, buy_gas=bought.gas_used
        )
        if name in ("second_buyer", "behind_seller") and learned.second.got_raw is None:
            return replace(trip, stage="buy_failed", detail=f"second buyer: {learned.second.detail}")
        if name == "fresh_wallet" and name not in accounts:
            return self._unsent(trip, accounts)
        account = accounts.get(f"again:{name}", accounts.get(name, "it was not played"))
        if isinstance(account, str):
            return self._stood_in(trip, instead.get(name), detail=account)
        return self._sold(trip, name, learned, account)

    def _stood_in(self, trip: RoundTrip, instead: RoundTrip | None, *, detail: str) -> RoundTrip:
        """Return what stands in for a later sale that no script could play: both trades at the later block."""
        if instead is None or instead.stage == "unavailable":
            return replace(trip, detail=detail)
        return replace(instead, sell_delay_blocks=trip.sell_delay_blocks)

    def _unsent(self, trip: RoundTrip, accounts: Accounts) -> RoundTrip:
        """Return the trip whose transfer to the fresh wallet failed or brought nothing."""
        sent = accounts.get("sent", "it was not played")
        if isinstance(sent, str):
            return replace(trip, detail=sent)
        if not sent[0][0].ok:
            return replace(trip, detail=_NO_BUY)
        transfer = sent[1][1]
        detail = "nothing arrived" if transfer.ok else transfer.reason
        return replace(trip, stage="sell_failed", detail=f"transfer to a fresh wallet: {detail}")

    def _sold(
        self, trip: RoundTrip, name: TradeName, learned: Learned, account: Sequence[Sequence[Told]]
    ) -> RoundTrip:
        """Return the trip with its sales; the first that fails decides."""
        assert trip.received_raw is not None
        if not account[0][0].ok:
            return replace(trip, stage="unavailable", received_raw=None, buy_tax_bps=None, detail=_NO_BUY)
        half = trip.received_raw // 2
        sales: dict[str, list[tuple[int, int]]] = {  # (scene, step) of each sale, by probe
            "in_parts": [(1, 0), (2, 0)],
            "second_buyer": [(2, 0), (2, 1)],
            "behind_seller": [(2, 0), (2, 1)],
            "fresh_wallet": [(2, 1)],
            "same_block": [(0, 2)],
        }
        amounts = {
            "in_parts": [half, trip.received_raw - half],
            "second_buyer": [learned.second.got_raw or 0, trip.received_raw],
            "behind_seller": [_kept(trip.received_raw), _kept(learned.second.got_raw or 0)],
        }.get(name, [trip.received_raw])
        returned, taxes, gas = 0, [], 0
        for (scene, step), amount in zip(sales.get(name, [(1, 1)]), amounts, strict=True):
            told = account[scene][step]
            before = [item for part in account[:scene] for item in part] + [*account[scene][:step]]
            refused = next((item for item in before if not item.ok), None)
            reserves = self.ground.reserves_after(before, before=self.reserves)
            sale = self.ground.sold(told, sold_raw=amount, reserves=reserves)
            if sale.got_raw is None:
                words = sale.detail if refused is None else f"before the sale: {refused.reason}"
                return replace(trip, stage="sell_failed", detail=words)
            returned += sale.got_raw
            taxes += [] if sale.tax_bps is None else [sale.tax_bps]
            gas = max(gas, sale.gas_used)
        return replace(
            trip,
            stage="bought_and_sold",
            returned_raw=returned,
            sell_tax_bps=max(taxes, default=None),
            sell_gas=gas,
        )

    def _blank(self, name: TradeName) -> RoundTrip:
        return RoundTrip(
            amount_in_raw=self.amount(name),
            sold_share_bps=BPS_ONE // 2 if name == "in_parts" else BPS_ONE,
            sell_delay_blocks=0 if name == "same_block" else self._delays.get(name, 1),
            method="pyrevm" if self.runner == "pyrevm" else "eth_simulateV1",
            stage="unavailable",
            received_raw=None,
            returned_raw=None,
            buy_tax_bps=None,
            sell_tax_bps=None,
            buy_gas=None,
            sell_gas=None,
        )

    def _script(self, scenes: Sequence[Scene], name: TradeName) -> Script:
        return self.ground.script(scenes, paying_raw=self.amount(name))


def _kept(received_raw: int) -> int:
    """Return what is left of a purchase when others' trades moved holders' shares by rounding."""
    return received_raw - received_raw // BPS_ONE


def _left(account: Account) -> int | None:
    """Return the balance before a later sale that failed, None when it went well or nothing is known."""
    if isinstance(account, str):
        return None
    look, sale = account[1]
    return None if sale.ok else look.word
