"""Wash rings planted into real swap histories: what a detector is measured against, because nobody has labelled any.

The swaps around a ring are real; the ring is drawn from a seed. A ring's wallets sell only what they hold, at the price of
the nearest earlier real swap, minus the pool's fee on every leg; the ring's own push on the price is left out, as its
swaps are of the size of the pool's others. Everybody's first coins are drawn too: exchanges fund most wallets, some share
a funder by chance, and of many nothing is known.

Kinds of rings (methods of Chainalysis 2025 and of Victor and Weintraud 2021, turned into their makers' side):
  self_trading    one to five wallets, each buys and sells its own tokens again, quickly
  matched_jitter  three to eight wallets; who buys does not sell next; every leg differs by some percent, a rest stays
  rotating        fresh wallets: each is used for one purchase and one sale, in half of the rings of tokens handed on
  slow            as self_trading, with long pauses spread over the whole history

Changing anything here changes every figure that was measured with it.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from statistics import median
from typing import Final, Literal, get_args

from apps.domain.entities import FundingLink, TokenMove, Trade

RingKind = Literal["self_trading", "matched_jitter", "rotating", "slow"]
RING_KINDS: Final[tuple[RingKind, ...]] = get_args(RingKind)
#: Wallets that fund thousands: exchanges. They join nobody.
EXCHANGES: Final = tuple(f"0x{'e' * 38}{number:02x}" for number in range(8))
#: A history shorter than this holds no ring: there is nothing to hide between.
HISTORY_MIN: Final = 30
ROUNDS_MIN: Final = 5
ROUNDS_MAX: Final = 60
#: Of everybody's first coins so much is known; of the rest a reader learnt nothing.
FUNDING_KNOWN_SHARE: Final = 0.7
EXCHANGE_SHARE: Final = 0.7
#: Two strangers with one funder: friends, or one person's two wallets.
SHARED_FUNDER_SHARE: Final = 0.03
FEE_BPS: Final = 30
_BLOCK_MS: Final = 13_200
_COIN: Final = 10**18
_NEIGHBOURHOOD: Final = 25  # swaps around a moment that say what size is usual


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """A real history with one ring in it, in the order of blocks.

    ``ring_trades`` are the transaction hash and log index of the ring's own swaps: the truth, never an input.
    """

    trades: tuple[Trade, ...]
    moves: tuple[TokenMove, ...]
    funding: tuple[FundingLink, ...]
    kind: RingKind
    is_funded_from_one: bool
    wallets: frozenset[str]
    ring_trades: frozenset[tuple[str, int]]


@dataclass(slots=True)
class _Ring:
    """The ring while it is drawn: what each wallet holds, and what it did."""

    kind: RingKind
    chance: Random
    wallets: list[str]
    held: dict[str, int] = field(default_factory=dict)
    trades: list[Trade] = field(default_factory=list)
    moves: list[TokenMove] = field(default_factory=list)


def plant(history: Sequence[Trade], *, kind: RingKind, is_funded_from_one: bool, seed: str) -> Planted | None:
    """Return the history with a ring of this kind, the same for the same seed; None when it is too short for one."""
    ordered = sorted(history, key=_place)
    if len(ordered) < HISTORY_MIN or ordered[-1].at_ms <= ordered[0].at_ms:
        return None
    chance = Random(f"{seed}/{kind}/{is_funded_from_one}")  # noqa: S311  # for measuring, not for secrets
    rounds = min(max(int(len(ordered) * chance.uniform(0.1, 0.5) / 2), ROUNDS_MIN), ROUNDS_MAX)
    hands_on = kind == "rotating" and chance.random() < 0.5
    ring = _Ring(kind=kind, chance=chance, wallets=_new_wallets(kind, rounds, chance))
    draw = {
        "self_trading": _self_trading,
        "matched_jitter": _matched_jitter,
        "rotating": _handing_on if hands_on else _rotating,
        "slow": _self_trading,
    }[kind]
    draw(ring, ordered, _moments(ordered, kind=kind, count=2 * rounds, chance=chance))
    trades = tuple(sorted((*ordered, *ring.trades), key=_place))
    used = frozenset(trade.address for trade in ring.trades)
    return Planted(
        trades=trades,
        moves=tuple(ring.moves),
        funding=(
            *_ring_funding(sorted(used), trades[0].at_ms, is_from_one=is_funded_from_one, chance=chance),
            *background_funding(ordered, seed=seed),
        ),
        kind=kind,
        is_funded_from_one=is_funded_from_one,
        wallets=used,
        ring_trades=frozenset((trade.tx_hash, trade.log_index) for trade in ring.trades),
    )


def background_funding(history: Sequence[Trade], *, seed: str) -> tuple[FundingLink, ...]:
    """Return drawn first coins of the wallets of a real history: whom funding must not join."""
    chance = Random(f"{seed}/funding")  # noqa: S311
    if not history:
        return ()
    first_ms = min(trade.at_ms for trade in history)
    links: list[FundingLink] = []
    for wallet in sorted({trade.address for trade in history}):
        at_ms = first_ms - int(chance.expovariate(1 / (30 * 86_400_000)))
        amount = int(_COIN * min(chance.lognormvariate(-1, 1.2), 1e6))
        if chance.random() < EXCHANGE_SHARE:
            source = chance.choice(EXCHANGES)
        elif links and chance.random() < SHARED_FUNDER_SHARE / (1 - EXCHANGE_SHARE):
            source = chance.choice(links).source
        else:
            source = _address(chance)
        if chance.random() < FUNDING_KNOWN_SHARE:
            links.append(_link(source, wallet, at_ms=at_ms, amount_raw=amount, chance=chance))
    return tuple(links)


# -- kinds --------------------------------------------------------------------------------
def _self_trading(ring: _Ring, history: Sequence[Trade], moments: Sequence[tuple[int, int]]) -> None:
    """Each wallet sells within a percent of what it bought: whoever just bought sells, or waits for its turn."""
    chance = ring.chance
    for number in range(0, len(moments) - 1, 2):
        wallet = chance.choice(ring.wallets)
        _buy(ring, history, wallet, moments[number])
        bps = 10_000 if chance.random() < 0.6 else chance.randint(9_900, 10_000)
        _sell(ring, history, wallet, moments[number + 1], base_raw=ring.held[wallet] * bps // 10_000)


def _matched_jitter(ring: _Ring, history: Sequence[Trade], moments: Sequence[tuple[int, int]]) -> None:
    """Legs go around the wallets in no order; each sale is some percent beside the last purchase."""
    chance, open_raw = ring.chance, 0
    jitter = chance.uniform(0.02, 0.08)
    for moment in moments:
        able = [wallet for wallet in ring.wallets if ring.held.get(wallet, 0) > 0]
        if not able or open_raw <= 0 or (open_raw < sum(ring.held.values()) and chance.random() < 0.2):
            open_raw = max(open_raw, 0) + _buy(ring, history, chance.choice(ring.wallets), moment)
            continue
        wallet = (
            max(able, key=lambda item: (ring.held[item], item))
            if chance.random() < 0.7
            else chance.choice(able)
        )
        target = int(open_raw * (1 + chance.uniform(-jitter, jitter)))
        sold = min(target, ring.held[wallet])
        _sell(ring, history, wallet, moment, base_raw=sold)
        open_raw -= sold


def _rotating(ring: _Ring, history: Sequence[Trade], moments: Sequence[tuple[int, int]]) -> None:
    """A fresh wallet for every round: it buys, sells all of it, and is never seen again."""
    for number in range(0, len(moments) - 1, 2):
        wallet = ring.wallets[(number // 2) % len(ring.wallets)]
        _buy(ring, history, wallet, moments[number])
        _sell(ring, history, wallet, moments[number + 1], base_raw=ring.held[wallet])


def _handing_on(ring: _Ring, history: Sequence[Trade], moments: Sequence[tuple[int, int]]) -> None:
    """One wallet buys and hands the tokens to the next, which sells them and then buys itself."""
    for number in range(0, len(moments) - 1, 2):
        buyer = ring.wallets[(number // 2) % len(ring.wallets)]
        seller = ring.wallets[(number // 2 + 1) % len(ring.wallets)]
        amount = _buy(ring, history, buyer, moments[number])
        block, at_ms = moments[number]
        ring.moves.append(
            TokenMove(
                at_ms=at_ms + _BLOCK_MS,
                block=block + 1,
                tx_hash=_hash(ring.chance),
                log_index=ring.chance.randrange(300),
                source=buyer,
                target=seller,
                base_raw=amount,
            )
        )
        ring.held[buyer] -= amount
        ring.held[seller] = ring.held.get(seller, 0) + amount
        _sell(ring, history, seller, moments[number + 1], base_raw=amount)


# -- legs ---------------------------------------------------------------------------------
def _buy(ring: _Ring, history: Sequence[Trade], wallet: str, moment: tuple[int, int]) -> int:
    """Let a wallet buy for about what is usual then. Return what it received."""
    quote, base = _price_at(history, moment[1])
    spent = max(int(_usual_quote(history, moment[1]) * ring.chance.uniform(0.5, 3.0)), 1)
    received = max(spent * base * (10_000 - FEE_BPS) // (quote * 10_000), 1)
    ring.held[wallet] = ring.held.get(wallet, 0) + received
    ring.trades.append(_leg(ring, wallet, moment, side="buy", base_raw=received, quote_raw=spent))
    return received


def _sell(
    ring: _Ring, history: Sequence[Trade], wallet: str, moment: tuple[int, int], *, base_raw: int
) -> None:
    if base_raw <= 0:
        return
    assert base_raw <= ring.held[wallet], (base_raw, ring.held[wallet])
    quote, base = _price_at(history, moment[1])
    received = base_raw * quote * (10_000 - FEE_BPS) // (base * 10_000)
    ring.held[wallet] -= base_raw
    ring.trades.append(_leg(ring, wallet, moment, side="sell", base_raw=base_raw, quote_raw=received))


def _leg(
    ring: _Ring,
    wallet: str,
    moment: tuple[int, int],
    *,
    side: Literal["buy", "sell"],
    base_raw: int,
    quote_raw: int,
) -> Trade:
    return Trade(
        at_ms=moment[1],
        block=moment[0],
        tx_hash=_hash(ring.chance),
        log_index=ring.chance.randrange(300),
        address=wallet,
        side=side,
        base_raw=base_raw,
        quote_raw=quote_raw,
    )


def _price_at(history: Sequence[Trade], at_ms: int) -> tuple[int, int]:
    """Return quote and base of the last real swap before the moment that has a price."""
    at = bisect_right(history, at_ms, key=lambda trade: trade.at_ms)
    for trade in (*reversed(history[:at]), *history[at:]):
        if trade.base_raw > 0 and trade.quote_raw > 0:
            return trade.quote_raw, trade.base_raw
    return 1, 1


def _usual_quote(history: Sequence[Trade], at_ms: int) -> float:
    at = bisect_right(history, at_ms, key=lambda trade: trade.at_ms)
    around = history[max(at - _NEIGHBOURHOOD, 0) : at + _NEIGHBOURHOOD]
    return float(median(trade.quote_raw for trade in around))


def _moments(
    history: Sequence[Trade], *, kind: RingKind, count: int, chance: Random
) -> list[tuple[int, int]]:
    """Return the ring's blocks and times, within the history, each leg at least a block after the one before."""
    first, last = history[0], history[-1]
    span_ms = last.at_ms - first.at_ms
    pace_ms = (
        span_ms / count * chance.uniform(0.6, 0.95) if kind == "slow" else 1_000 * chance.uniform(20, 150)
    )
    pace_ms = min(pace_ms, span_ms / count * 0.95)
    gaps = [chance.gammavariate(4, pace_ms / 4) for _ in range(count)]
    length = sum(gaps)
    start_ms = first.at_ms + chance.uniform(0, max(span_ms - length, 0))
    block_ms = max(span_ms / max(last.block - first.block, 1), 1)
    found: list[tuple[int, int]] = []
    at_ms, before = start_ms, first.block
    for gap in gaps:
        at_ms += gap
        block = max(first.block + int((at_ms - first.at_ms) / block_ms), before + 1)
        before = block
        found.append((block, first.at_ms + int((block - first.block) * block_ms)))
    return found


# -- wallets and their first coins --------------------------------------------------------
def _new_wallets(kind: RingKind, rounds: int, chance: Random) -> list[str]:
    count = {
        "self_trading": chance.randint(1, 5),
        "matched_jitter": chance.randint(3, 8),
        "rotating": rounds + 1,
        "slow": chance.randint(1, 5),
    }[kind]
    return [_address(chance) for _ in range(count)]


def _ring_funding(
    wallets: Sequence[str], first_ms: int, *, is_from_one: bool, chance: Random
) -> list[FundingLink]:
    """Fund a ring from one wallet within an hour, in half of the rings with amounts alike; or from anywhere."""
    funder, amount = _address(chance), int(_COIN * chance.uniform(0.5, 20))
    spread = 0.02 if chance.random() < 0.5 else 0.4
    start_ms = first_ms - int(chance.uniform(1, 72) * 3_600_000)
    links: list[FundingLink] = []
    for wallet in wallets:
        if is_from_one:
            source, at_ms = funder, start_ms + int(chance.uniform(0, 3_000_000))
        else:
            source = chance.choice(EXCHANGES) if chance.random() < EXCHANGE_SHARE else _address(chance)
            at_ms = first_ms - int(chance.expovariate(1 / (30 * 86_400_000)))
        part = max(chance.gauss(1, spread), 0.05)
        if chance.random() < FUNDING_KNOWN_SHARE:
            links.append(_link(source, wallet, at_ms=at_ms, amount_raw=int(amount * part), chance=chance))
    return links


def _link(source: str, target: str, *, at_ms: int, amount_raw: int, chance: Random) -> FundingLink:
    return FundingLink(
        source=source,
        target=target,
        at_ms=at_ms,
        amount_raw=amount_raw,
        block=max(at_ms // _BLOCK_MS, 0),
        tx_hash=_hash(chance),
    )


def _address(chance: Random) -> str:
    return f"0x{chance.getrandbits(160):040x}"


def _hash(chance: Random) -> str:
    return "0x" + hashlib.sha256(str(chance.getrandbits(256)).encode()).hexdigest()


def _place(trade: Trade) -> tuple[int, int, str]:
    return trade.block, trade.log_index, trade.tx_hash
