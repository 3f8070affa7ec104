"""Draws launches from a seed. Classes overlap in all that can be seen before their end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import exp
from random import Random
from typing import Any

from apps.sandbox.logic import parameters as p
from apps.sandbox.market.naming import hostile_name, token_name
from apps.sandbox.market.plan import Ending, Launch, LpFate, Who

_NEVER = 2**128 - 1
#: A launch token that is given no router opens no pool by itself.
_NO_ROUTER = "0x" + "00" * 20
_SUPPLIES = (10**6, 10**7, 10**8, 10**9, 10**9, 10**9, 10**10, 10**12, 420_690 * 10**6)
_LIFE_MIN_S, _LIFE_MAX_S = 30.0, 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """What all launches of one chain share."""

    seed: int
    chain_key: str
    block_s: float
    native_price_usd: int
    is_base_fee_zero: bool = False  # of every block of the chain
    tip_min_wei: int = 0  # below which a block takes nothing

    def chance(self, *about: object) -> Random:
        """Return the random numbers of one subject; the same at every replay."""
        return Random(":".join(map(str, (self.seed, self.chain_key, *about))))  # noqa: S311  a market, no secret

    def tip_wei(self, block: int) -> int:
        """Return what the first of the market's own transactions of a block tips, in wei per gas."""
        usual = max(p.TIP_WEI, self.tip_min_wei)
        return int(usual * exp(self.chance("tip", block).gauss(0, p.TIP_LOG_SD)))


@dataclass(slots=True, kw_only=True)
class _Kind:
    """What a class of launches does apart from what all do."""

    contract: str
    arguments: tuple[object, ...] = ()
    is_unsellable: bool = False
    sells_for_blocks: int | None = None
    ending: Ending = "none"
    shut_call: tuple[str, tuple[object, ...]] | None = None
    needs_owner: bool = False  # the ending is out of reach once ownership is renounced
    opens_pool: bool = True
    takes_liquidity: bool = True


def draw(market: Market, number: int) -> Launch:
    """Return the launch with this number."""
    chance = market.chance("launch", number)
    is_honest = chance.random() >= p.BAD_SHARE
    kind = "honest" if is_honest else _weighted(chance, p.BAD_KINDS)
    deployer = _deployer(chance, number, is_honest=is_honest)
    decimals = _weighted(chance, {18: 0.86, 9: 0.11, 6: 0.03})
    supply_raw = chance.choice(_SUPPLIES) * 10**decimals
    what = _honest(chance, supply_raw) if is_honest else _BAD[kind](chance, supply_raw, market)
    name, symbol = (hostile_name if chance.random() < p.HOSTILE_NAME_SHARE else token_name)(chance)
    arguments = what.arguments
    if not what.opens_pool:
        arguments = _own_arguments(what, name, symbol, decimals, supply_raw)
    pool_share_bps = int(10_000 * _weighted(chance, p.POOL_SHARES))
    rest_raw = supply_raw * (10_000 - pool_share_bps) // 10_000
    holders, insiders = _holdings(chance, what, number=number, rest_raw=rest_raw, is_honest=is_honest)
    plan = Launch(
        number=number,
        kind=kind,
        is_honest=is_honest,
        is_unsellable=what.is_unsellable,
        name=name,
        symbol=symbol,
        decimals=decimals,
        supply_raw=supply_raw,
        contract=what.contract,
        arguments=arguments,
        opens_pool=what.opens_pool,
        takes_liquidity=what.takes_liquidity,
        sells_for_blocks=what.sells_for_blocks,
        deployer=deployer,
        pool_share_bps=pool_share_bps,
        holders_raw=holders,
        insiders=insiders,
        **_pool(chance, what, native_price_usd=market.native_price_usd, is_honest=is_honest),
        **_ending(chance, what, kind),
        **_trading(chance, is_honest=is_honest),
        **_groups(chance, number, is_honest=is_honest),
    )
    return _in_ranges(market, plan)


def _in_ranges(market: Market, plan: Launch) -> Launch:
    """Return some of the plain launches as those of a pool of ranged liquidity. Chances of their own: all others stay."""
    if plan.contract != "StandardToken" or plan.kind not in p.RANGED_KINDS:
        return plan
    if market.chance("venue", plan.number).random() >= p.RANGED_SHARE:
        return plan
    return replace(
        plan,
        venue="v3",
        opens_pool=False,
        arguments=(plan.name, plan.symbol, plan.decimals, plan.supply_raw, _NO_ROUTER),
        deployer=f"deployer:{plan.number}",  # one position an account, so that it is found again
        liquidity_after_s=0.0,
        lp_fate="hold" if plan.lp_fate == "hold" else "burn",  # no locker here takes positions
        lp_fate_after_s=0.0,
    )


def _deployer(chance: Random, number: int, *, is_honest: bool) -> str:
    """Return an account: most launch once, some again and again, with a reputation that mostly holds."""
    if chance.random() >= p.SERIAL_SHARE:
        return f"deployer:{number}"
    if is_honest != (chance.random() < p.SERIAL_SURPRISE_SHARE):
        return f"serial:a:{chance.randrange(p.SERIAL_GOOD)}"
    return f"serial:b:{chance.randrange(p.SERIAL_BAD)}"


def _pool(chance: Random, what: _Kind, *, native_price_usd: int, is_honest: bool) -> dict[str, Any]:
    """Return liquidity, what becomes of its shares, and of the ownership."""
    fate, fate_bps, lock_s = _lp(chance, what, is_honest=is_honest)
    usd = min(p.LIQUIDITY_USD_MAX, chance.lognormvariate(p.LIQUIDITY_LOG_MEAN, p.LIQUIDITY_LOG_SD))
    renounce_share = p.RENOUNCE_SHARE_HONEST if is_honest else p.RENOUNCE_SHARE_BAD
    renounces = what.opens_pool and not what.needs_owner and chance.random() < renounce_share
    renounce_after_s = _at_once_or_later(chance, 20) if renounces else None
    liquidity_after_s = chance.uniform(1, 8) if chance.random() < p.LATE_LIQUIDITY_SHARE else 0.0
    return {
        "liquidity_wei": int(usd * 10**18 / native_price_usd),
        "liquidity_after_s": liquidity_after_s if what.opens_pool else 0.0,
        "lp_fate": fate,
        "lp_fate_bps": fate_bps,
        "lp_fate_after_s": _at_once_or_later(chance, 12),
        "lock_s": lock_s,
        "renounce_after_s": renounce_after_s,
    }


def _at_once_or_later(chance: Random, latest_s: float) -> float:
    return 0.0 if chance.random() < p.AT_ONCE_SHARE else chance.uniform(1, latest_s)


def _ending(chance: Random, what: _Kind, kind: str) -> dict[str, Any]:
    at_s = max(3.0, _seconds_of(chance.lognormvariate(p.DRAIN_LOG_MEAN, p.DRAIN_LOG_SD)))
    if kind == "instant_rug":
        at_s = chance.uniform(2, 15)
    parts = chance.choice((1, 1, 1, 2, 3)) if what.ending in ("remove", "dump") else 1
    if kind == "slow_rug":
        parts = chance.randint(3, 6)
    return {
        "ending": what.ending,
        "ending_at_s": min(at_s, p.ENDING_LATEST_S),
        "ending_bps": chance.choice(p.DRAIN_SHARES_BPS),
        "ending_parts": parts,
        "ending_every_s": chance.uniform(2, 10),
        "shut_call": what.shut_call,
    }


def _seconds_of(hours: float) -> float:
    return hours * 3_600 / p.TIME_FACTOR


def _trading(chance: Random, *, is_honest: bool) -> dict[str, Any]:
    rise_mean = p.RISE_MEAN_HONEST if is_honest else p.RISE_MEAN_BAD
    trades_mean = p.TRADES_LOG_MEAN_HONEST if is_honest else p.TRADES_LOG_MEAN_BAD
    lives_s = _seconds_of(chance.lognormvariate(p.LIFE_LOG_MEAN, p.LIFE_LOG_SD))
    lives_s = min(_LIFE_MAX_S, max(_LIFE_MIN_S, lives_s))
    per_hour = min(p.TRADES_PER_HOUR_MAX, chance.lognormvariate(trades_mean, p.TRADES_LOG_SD))
    return {
        "path": _path(chance, lives_s, rise=_rise(chance, rise_mean, per_hour)),
        "trades_per_s": p.TRADES_KEPT * per_hour * p.TIME_FACTOR / 3_600,
        "trades_half_life_s": _seconds_of(p.TRADES_HALF_LIFE_H),
        "trade_share": exp(chance.gauss(p.TRADE_SHARE_LOG_MEAN, p.TRADE_SHARE_BETWEEN_SD)),
        "trade_spread": p.TRADE_SHARE_LOG_SD,
        "lives_s": lives_s,
    }


def _groups(chance: Random, number: int, *, is_honest: bool) -> dict[str, Any]:
    pumped = chance.random() < (p.PUMP_SHARE_HONEST if is_honest else p.PUMP_SHARE_BAD)
    washed = chance.random() < (p.WASH_SHARE_HONEST if is_honest else p.WASH_SHARE_BAD)
    size = chance.randint(2, p.WASH_RING_SIZE) if washed else 0
    pump_at_s = chance.uniform(1, 20)
    crew = sorted(chance.sample(range(p.RETAIL), chance.randint(*p.CREW)))
    return {
        "crew": tuple(f"retail:{index}" for index in crew),
        "whale": f"whale:{chance.randrange(p.WHALES)}" if chance.random() < p.WHALE_SHARE else None,
        "washers": tuple(f"wash:{number % p.WASH_RINGS}:{index}" for index in range(size)),
        "wash_every_s": chance.uniform(2, 8),
        "pump": tuple(f"pump:{index}" for index in range(p.PUMPERS)) if pumped else (),
        "pump_at_s": pump_at_s,
        "pump_sells_at_s": pump_at_s + chance.uniform(4, 30),
    }


#: How old or broken tokens answer name() and symbol(): words of 32 bytes, nonsense, nothing, a failure.
_ODD_ANSWERS: tuple[tuple[tuple[int, bytes], tuple[int, bytes]], ...] = (
    ((0, b"Maker of Old".ljust(32, b"\0")), (0, b"OLDM".ljust(32, b"\0"))),
    ((0, b"\xff\xfe\xc3\x28".ljust(32, b"\0")), (0, b"")),
    ((1, b""), (1, b"")),
    ((0, (32).to_bytes(32, "big") + (2**255).to_bytes(32, "big")), (0, b"\x01")),
)


def _weighted(chance: Random, shares: dict[Any, float]) -> Any:
    return chance.choices(list(shares), weights=list(shares.values()))[0]


def _rise(chance: Random, mean: float, trades_per_hour: float) -> float:
    """Return the first rise; where few trade, it is small."""
    return chance.gauss(mean, p.RISE_SD) * min(1.0, trades_per_hour / p.TRADES_FOR_FULL_RISE)


def _path(chance: Random, lives_s: float, *, rise: float) -> tuple[tuple[float, float], ...]:
    """Return how people come to see the price: a rise or fall at first, then a walk."""
    hour_s = 3_600 / p.TIME_FACTOR
    walk, at_s = 0.0, 0.0
    knots = [(0.0, 0.0)]
    while at_s < lives_s:
        step_s = chance.uniform(0.05, 0.2) * hour_s
        at_s += step_s
        walk += chance.gauss(0, p.VOLATILITY_PER_HOUR * (step_s / hour_s) ** 0.5)
        knots.append((at_s, walk + rise * (1 - exp(-at_s / hour_s / p.RISE_TIME_H))))
    return tuple(knots)


def _lp(chance: Random, what: _Kind, *, is_honest: bool) -> tuple[LpFate, int, int]:
    """Return what happens to the pool's shares, to which part of them, and how long a lock lasts (seconds)."""
    shares = p.LP_FATE_HONEST if is_honest else p.LP_FATE_BAD
    fate: LpFate = "hold" if what.ending == "remove" else _weighted(chance, shares)
    if what.ending == "remove" and chance.random() < p.REMOVE_LOCKS_SOME_SHARE:
        return "lock", chance.randint(500, 6_000), 86_400 * chance.choice((1, 7, 30))
    bps = 10_000 if chance.random() < 0.85 else chance.randint(7_500, 9_900)
    return fate, bps, 86_400 * chance.choice((30, 90, 180, 365, 730))


def _holdings(
    chance: Random, what: _Kind, *, number: int, rest_raw: int, is_honest: bool
) -> tuple[tuple[int, ...], tuple[tuple[str, int], ...]]:
    """Return amounts for passive holders and for insiders; what is left stays with the deployer."""
    if rest_raw == 0:
        return (), ()
    kept_bps = chance.choice((0, 0, 1_000, 2_500, 5_000, 10_000))
    given_raw = rest_raw * (10_000 - kept_bps) // 10_000
    insider_bps = chance.choice((0, 1_500, 3_000) if is_honest else (2_000, 4_000, 8_000))
    if what.ending == "dump":
        insider_bps = max(insider_bps, 5_000)
    count = min(p.HOLDERS_MAX, int(chance.lognormvariate(p.HOLDERS_LOG_MEAN, p.HOLDERS_LOG_SD)))
    insiders = tuple(
        (f"insider:{number}:{index}", given_raw * insider_bps // 10_000 // size)
        for size in (chance.randint(1, 4),)
        for index in range(size)
        if insider_bps
    )
    left_raw = given_raw - sum(raw for _, raw in insiders)
    weights = [chance.lognormvariate(0, 1) for _ in range(count)]
    total = sum(weights) or 1.0
    return tuple(max(1, int(left_raw * (weight / total) * 0.999)) for weight in weights), insiders


def _honest(chance: Random, supply_raw: int) -> _Kind:
    contract = _weighted(chance, p.HONEST_CONTRACTS)
    if contract == "TaxedToken":
        tax = chance.choice((100, 100, 200, 300, 300, 400, 500, 800))
        return _Kind(contract=contract, arguments=((tax, tax, max(tax, 500), Who(label="fees")),))
    if contract in ("NoReturnToken", "OddMetadataToken"):
        oddity = chance.choice(_ODD_ANSWERS) if contract == "OddMetadataToken" else ()
        return _Kind(contract=contract, arguments=oddity, opens_pool=False)
    arguments: dict[str, tuple[object, ...]] = {
        "SellDelayToken": (chance.randint(1, 3),),
        "SellCapToken": (supply_raw // 50, 10_000),
        "TradingSwitchToken": (True,),
        "BlacklistToken": (False,),
    }
    return _Kind(contract=contract, arguments=arguments.get(contract, ()))


def _own_arguments(what: _Kind, name: str, symbol: str, decimals: int, supply_raw: int) -> tuple[object, ...]:
    """Return what the odd contracts are created with; ``what.arguments`` are answers that replace the usual ones."""
    if what.contract == "NoReturnToken":
        return (name, symbol, decimals, supply_raw)
    if what.contract == "OddMetadataToken":
        return (
            supply_raw,
            *what.arguments,
            (0, decimals.to_bytes(32, "big")),
            (0, supply_raw.to_bytes(32, "big")),
        )
    return ()


def _dead_code(chance: Random, supply_raw: int, market: Market) -> _Kind:
    contract = chance.choice(("RevertingToken", "GasBurnToken"))
    return _Kind(contract=contract, is_unsellable=True, opens_pool=False, takes_liquidity=False)


def _rug(chance: Random, supply_raw: int, market: Market) -> _Kind:
    """Liquidity is taken out of a pool whose code tells nothing."""
    return _honest_code(chance, supply_raw, "remove")


def _dump(chance: Random, supply_raw: int, market: Market) -> _Kind:
    return _honest_code(chance, supply_raw, "dump")


def _honest_code(chance: Random, supply_raw: int, ending: Ending) -> _Kind:
    kind = _honest(chance, supply_raw)
    kind.ending = ending
    return kind


def _mint_dump(chance: Random, supply_raw: int, market: Market) -> _Kind:
    call = ("mint(address,uint256)", (Who(label="deployer"), supply_raw * chance.randint(2, 50)))
    return _Kind(contract="MintableToken", ending="mint_dump", shut_call=call, needs_owner=True)


def _hidden_mint(chance: Random, supply_raw: int, market: Market) -> _Kind:
    call = ("distributeRewards(uint256)", (supply_raw * chance.randint(2, 50),))
    return _Kind(contract="HiddenMintToken", ending="mint_dump", shut_call=call)


def _owner_move(chance: Random, supply_raw: int, market: Market) -> _Kind:
    return _Kind(contract="OwnerMoveToken", ending="grab")


def _tax_later(chance: Random, supply_raw: int, market: Market) -> _Kind:
    tax = chance.choice((0, 100, 200, 300, 500))
    call = ("setFees(uint16,uint16)", (tax, 9_900))
    arguments = ((tax, tax, 9_900, Who(label="fees")),)
    return _Kind(contract="TaxedToken", arguments=arguments, ending="shut", shut_call=call, needs_owner=True)


def _tax_high(chance: Random, supply_raw: int, market: Market) -> _Kind:
    buy, sell = chance.choice((300, 500, 1_000, 1_500)), chance.choice((1_000, 2_000, 3_000, 5_000))
    return _Kind(contract="TaxedToken", arguments=((buy, sell, 6_000, Who(label="fees")),), ending="dump")


def _pause_later(chance: Random, supply_raw: int, market: Market) -> _Kind:
    return _Kind(contract="PausableToken", ending="shut", shut_call=("pause()", ()), needs_owner=True)


def _switch_later(chance: Random, supply_raw: int, market: Market) -> _Kind:
    call = ("setSwapStatus(bool,bool)", (True, False))
    return _Kind(
        contract="TradingSwitchToken", arguments=(True,), ending="shut", shut_call=call, needs_owner=True
    )


def _trap(contract: str, arguments: tuple[object, ...]) -> Callable[[Random, int, Market], _Kind]:
    def make(chance: Random, supply_raw: int, market: Market) -> _Kind:
        ending: Ending = chance.choice(("remove", "none", "none"))
        return _Kind(contract=contract, arguments=arguments, is_unsellable=True, ending=ending)

    return make


def _free_gas_strict(chance: Random, supply_raw: int, market: Market) -> _Kind:
    """Return the trap that tells a trial by its base fee too, which it cannot where every block's is zero."""
    return _trap("FreeGasSellToken", (not market.is_base_fee_zero,))(chance, supply_raw, market)


def _sell_cap(chance: Random, supply_raw: int, market: Market) -> _Kind:
    arguments = (supply_raw // chance.choice((10**6, 10**7, 10**9)), chance.choice((10_000, 500)))
    return _Kind(contract="SellCapToken", arguments=arguments, is_unsellable=True)


def _sleeper(chance: Random, supply_raw: int, market: Market) -> _Kind:
    blocks = int(chance.uniform(5, 90) / market.block_s)
    return _Kind(contract="SleeperToken", arguments=(blocks,), sells_for_blocks=blocks, ending="remove")


_BAD: dict[str, Callable[[Random, int, Market], _Kind]] = {
    "slow_rug": _rug,
    "instant_rug": _rug,
    "rug": _rug,
    "insider_dump": _dump,
    "mint_dump": _mint_dump,
    "hidden_mint": _hidden_mint,
    "dead_code": _dead_code,
    "owner_moves_balances": _owner_move,
    "tax_raised_later": _tax_later,
    "taxed_dishonest": _tax_high,
    "honeypot_paused_later": _pause_later,
    "honeypot_switched_later": _switch_later,
    "honeypot_sell_reverts": _trap("SellBlockedToken", ()),
    "honeypot_lists_buyers": _trap("BlacklistToken", (True,)),
    "honeypot_tax": _trap("TaxedToken", ((300, 9_900, 9_900, Who(label="fees")),)),
    "honeypot_sell_cap": _sell_cap,
    "honeypot_sell_delay": _trap("SellDelayToken", (_NEVER,)),
    "honeypot_sleeper": _sleeper,
    "honeypot_code_only": _trap("CodeOnlySellToken", ()),
    "honeypot_free_gas": _trap("FreeGasSellToken", (False,)),
    "honeypot_free_gas_strict": _free_gas_strict,
}
