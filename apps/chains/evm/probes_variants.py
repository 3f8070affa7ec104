"""The same round trip where a token might look at something else: at who trades, at moments that its code or storage names,
at what stands in the block. Requests and results only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from apps.chains.evm.bytecode import Variable
from apps.chains.evm.owner_levers import MOVES, field_of
from apps.chains.evm.probes_ground import Ground, probe_calls
from apps.chains.evm.simulate import PoolState
from apps.chains.evm.simulate_script import Account, Scene, Script
from apps.domain.market import RoundTrip
from apps.domain.money import BPS_ONE
from apps.domain.probes import Runner, TradeName, TradeProbe

#: Strangers who trade one by one; a trap that robs a tenth of all addresses escapes six with 53 %.
STRANGERS = 6
#: Moments beyond those that are always tried.
MOMENTS_MAX = 6
#: What lies nearer is tried anyhow, what lies further is no matter of a position of ours.
MOMENT_MIN_S, MOMENT_MAX_S = 60, 45 * 86_400
#: Hours of the day, and days of the week, at which a sale is tried: some tokens open by the clock.
HOURS_S = (5 * 3_600 + 2_220, 13 * 3_600 + 1_020, 3 * 86_400 + 19 * 3_600 + 420)
#: Opcodes that show a token looks at the block: BLOCKHASH, COINBASE, PREVRANDAO, GASLIMIT.
_BLOCKHASH, _COINBASE, _RANDOM, _GASLIMIT = 0x40, 0x41, 0x44, 0x45
#: BALANCE, EXTCODESIZE, EXTCODEHASH, SELFBALANCE: it looks at accounts.
_LOOKS_AT_COINS, _LOOKS_AT_CODE = frozenset({0x31, 0x47}), frozenset({0x3B, 0x3F})
_RICH_RAW = 10**24
#: Code that does nothing.
_NO_DEED = "0x00"
#: A whale spends so many times the pool's coins.
WHALE_TIMES = 3
#: Draws of chance: a trap that catches one sale in four escapes five with 24 %.
DRAWS = 5
NAMES: tuple[TradeName, ...] = ("told_times", "strangers", "other_blocks")


@dataclass(frozen=True, slots=True, kw_only=True)
class Variants:
    """The scripts on one ground. ``received_raw`` is what the intended amount buys; ``numbers`` are constants of the code and
    of storage, ``opcodes`` what the code can do, ``wait`` after how many blocks the token lets a buyer sell.
    """

    ground: Ground
    received_raw: int
    numbers: tuple[int, ...]
    opcodes: frozenset[int]
    wait: int
    reserves: PoolState | None
    pooled_coins_raw: int  # what the pool holds of our coin
    accounts: tuple[str, ...]  # whom the token names, itself included, lower case
    persons: tuple[str, ...]  # those of them that have no code

    def scripts(self) -> dict[str, Script]:
        """Return all scripts by name; the part before the colon is the probe that they belong to."""
        scripts = {f"strangers:{number}": self._stranger(number) for number in range(STRANGERS)}
        scripts |= {f"told_times:{name}": self._later(at_s) for name, at_s in self._moments().items()}
        scripts |= {f"other_blocks:{name}": self._in_block(block) for name, block in self._blocks().items()}
        if self.pooled_coins_raw:
            scripts["strangers:behind a whale"] = self._behind_whale()
        return scripts

    def probes(self, accounts: Mapping[str, Account], *, runner: Runner) -> tuple[TradeProbe, ...]:
        """Return of each kind the trade that ended worst; a kind of which nothing was played is left out."""
        found: list[TradeProbe] = []
        scripts = self.scripts()
        for name in NAMES:
            trips = [
                (self._trip(accounts[key], key, runner), script)
                for key, script in scripts.items()
                if key.partition(":")[0] == name and key in accounts
            ]
            played = [(trip, script) for trip, script in trips if trip.stage != "unavailable"]
            if not played:
                continue
            trip, script = max(played, key=lambda item: _harm(item[0]))
            found.append(TradeProbe(name=name, trip=trip, calls=probe_calls(script.scenes)))
        return tuple(found)

    # -- the scripts ----------------------------------------------------------------------

    def _stranger(self, number: int) -> Script:
        return self._script(self.ground.actor(f"stranger {number}"), Scene(ahead=1 + self.wait, steps=()))

    def _later(self, at_s: int) -> Script:
        return self._script(
            self.ground.plan.buyer,
            Scene(ahead=1 + max(self.wait, self._blocks_to(at_s)), steps=(), at_s=at_s),
        )

    def _behind_whale(self) -> Script:
        """Return our sale after somebody bought so much that price and pool are far from what they were."""
        ground, amount = self.ground, WHALE_TIMES * self.pooled_coins_raw
        script = self._script(ground.plan.buyer, Scene(ahead=2 + self.wait, steps=()))
        buy = ground.buy(ground.actor("whale"), amount)
        first, sale = script.scenes
        return ground.script(
            [first, Scene(ahead=2, steps=(buy,)), sale], paying_raw=ground.plan.amount_in_raw
        )

    def _in_block(self, scene: Scene) -> Script:
        return self._script(self.ground.plan.buyer, scene)

    def _script(self, who: str, sale: Scene) -> Script:
        """Return a purchase and the sale of half of it: what arrives may differ by a fee."""
        ground, amount = self.ground, self.ground.plan.amount_in_raw
        first = (ground.buy(who, amount), ground.approve(who, self.received_raw))
        sold = replace(sale, steps=(ground.sell(who, self.received_raw // 2),))
        return ground.script([Scene(ahead=1, steps=first), sold], paying_raw=amount)

    def _blocks_to(self, at_s: int) -> int:
        stage = self.ground.stage
        return max(1, (at_s - stage.at_s) * 1_000 // stage.block_time_ms - 1)

    def _moments(self) -> dict[str, int]:
        """Return moments after which something may be otherwise, in seconds of the chain's clock."""
        stage = self.ground.stage
        found: dict[int, None] = {}
        for number in self.numbers:
            waits = [number, number - stage.at_s]
            waits += [count * stage.block_time_ms // 1_000 for count in (number, number - stage.number)]
            for wait in waits:
                if MOMENT_MIN_S <= wait <= MOMENT_MAX_S:
                    found[wait + 2 * stage.block_time_ms // 1_000 + 1] = None
        told = list(found)[:MOMENTS_MAX]
        return {f"{wait} s later": stage.at_s + wait for wait in (*told, *HOURS_S)}

    def _blocks(self) -> dict[str, Scene]:
        stage, maker = self.ground.stage, self.ground.actor("block maker")
        found: dict[str, Scene] = {}
        if _COINBASE in self.opcodes:
            found["another maker"] = Scene(ahead=1 + self.wait, steps=(), block={"feeRecipient": maker})
        if _RANDOM in self.opcodes:
            for number in range(DRAWS):
                drawn = "0x" + self.ground.actor(f"draw {number}")[2:].rjust(64, "5")
                found[f"draw {number}"] = Scene(ahead=1 + self.wait, steps=(), block={"prevRandao": drawn})
        if _GASLIMIT in self.opcodes:
            found["a larger block"] = Scene(
                ahead=1 + self.wait, steps=(), block={"gasLimit": hex(60_000_000)}
            )
        if {_BLOCKHASH, _RANDOM} & self.opcodes:
            for number in range(1, DRAWS):
                ahead = 1 + self.wait + number
                found[f"block {number}"] = Scene(ahead=ahead, steps=(), at_s=stage.time_s(ahead) + number)
        if _LOOKS_AT_COINS & self.opcodes and self.accounts:
            for name, coins in (("others are rich", _RICH_RAW), ("others have no coins", 0)):
                held = dict.fromkeys(self.accounts, coins)
                found[name] = Scene(ahead=1 + self.wait, steps=(), coins=held)
        if _LOOKS_AT_CODE & self.opcodes and self.persons:
            codes = dict.fromkeys(self.persons, _NO_DEED)
            found["others are contracts"] = Scene(ahead=1 + self.wait, steps=(), codes=codes)
        return found

    # -- what became of them --------------------------------------------------------------

    def _trip(self, account: Account, key: str, runner: Runner) -> RoundTrip:
        blank = RoundTrip(
            amount_in_raw=self.ground.plan.amount_in_raw,
            sold_share_bps=BPS_ONE // 2,
            sell_delay_blocks=self.wait,
            method="pyrevm" if runner == "pyrevm" else "eth_simulateV1",
            stage="unavailable",
            received_raw=None,
            returned_raw=None,
            buy_tax_bps=None,
            sell_tax_bps=None,
            buy_gas=None,
            sell_gas=None,
        )
        if isinstance(account, str):
            return replace(blank, detail=account)
        bought, told = account[0][0], account[-1][0]
        if not bought.ok:
            return blank
        before = [item for scene in account[:-1] for item in scene]
        reserves = self.ground.reserves_after(before, before=self.reserves)
        sale = self.ground.sold(told, sold_raw=self.received_raw // 2, reserves=reserves)
        if not sale.ok:
            variant = key.partition(":")[2]
            words = variant if not variant.isdigit() else "another buyer"
            detail = f"{words}: {sale.detail}"
            return replace(blank, stage="sell_failed", received_raw=self.received_raw, detail=detail)
        return replace(
            blank,
            stage="bought_and_sold",
            received_raw=self.received_raw,
            returned_raw=sale.got_raw,
            sell_tax_bps=sale.tax_bps,
            sell_gas=sale.gas_used,
        )


def numbers_kept(variables: Iterable[Variable], words: Mapping[str, int]) -> tuple[int, ...]:
    """Return the numbers that stand in those variables that transfers read."""
    plain = [item for item in variables if item.readers & MOVES and item.kind.startswith("uint")]
    return tuple(dict.fromkeys(field_of(words.get(item.slot, 0), item) for item in plain))


def _harm(trip: RoundTrip) -> tuple[bool, int]:
    return trip.stage == "sell_failed", trip.sell_tax_bps or 0
