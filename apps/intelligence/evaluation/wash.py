"""`manage.py evaluate wash`: how much of planted wash trading is found in real swap histories, and what alarms without any.

Nobody has labelled wash trading, so rings are planted (apps/intelligence/measuring/planted.py, written before the detector).
The thresholds were looked at on one half of the pools; figures are of the other half, with other seeds, or of --test. The
limits on gains came later, from traders of the simulated market that bought and sold in circles for a profit.
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any, Final

from django.core.management.base import CommandParser

from apps.domain.entities import Entities, FundingLink, TokenMove, Trade
from apps.domain.errors import ConfigurationError
from apps.intelligence.logic.coordination import WASH_PRIOR, wash_part
from apps.intelligence.logic.entities import Reading, entities_of
from apps.intelligence.logic.wash import (
    ENTITIES_MIN,
    SWAPS_MIN,
    Class,
    WashReport,
    wash_report,
)
from apps.intelligence.measuring.planted import EXCHANGES, RING_KINDS, Planted, background_funding, plant
from apps.intelligence.measuring.swap_histories import SwapHistory, read_histories

HELP = "Wash trading: rings planted into real swap histories, and alarms on untouched ones."
SEED: Final = "20261124"
POOLS_DEFAULT: Final = 300
POOLS_MOST: Final = 2_000
SEEDS_MOST: Final = 20
#: A pool alarms when so much of its volume is likely washed.
ALARM_BPS: Final = 1_000
BOOTSTRAP_ROUNDS: Final = 500
SPEED_SWAPS, SPEED_ADDRESSES, SPEED_ROUNDS = 5_000, 2_000, 20
_BPS: Final = 10_000
_BINS: Final = 10
_BLOCKS_H1, _PAIRS_H1, _DIFFERENCE_H1_BPS = 25, 3, 100
_LEVELS: Final = {"strict": Class.STRICT, "": Class.LIKELY, "loose": Class.LOOSE}
DEFINITIONS: Final = {
    "n": "real histories; each gets a ring of every kind, funded from one wallet and not, once a seed",
    "recall": "share of the ring's swaps taken for washed at least likely (_strict, _loose: at that level)",
    "precision": "share of the swaps taken for washed that are the ring's; real wash traders count as errors",
    "ring_recall": "rings of which at least half of the swaps were found",
    "alarm_rate_untouched": "real histories without a ring where at least a tenth of the volume is likely washed",
    "addresses": "of sync_events addresses and of both sets first coins are drawn, by the rules in swap_histories and planted",
    "baselines": "per_wallet: windows of 900 s balanced within 5 %, each wallet by itself; round_trips: Chainalysis' first"
    " rule, a wallet's purchase and sale within 25 blocks and 1 %, three times",
    "ci95": "bootstrap of whole pools",
    "missing": "without the wallets' first coins; without unpaid transfers too",
    "calibration": "of the likelihood of a ring, pools weighed so that a fifth of them has one",
    "speed": "one wash graph, after clustering, CPU milliseconds; untypical: 50 wallets make them all",
}


def arguments(parser: CommandParser) -> None:
    """Add what `evaluate wash` takes."""
    parser.add_argument(
        "--data", required=True, type=Path, metavar="DIR", help="A folder with swaps.* or sync_events.*."
    )
    parser.add_argument(
        "--test", type=Path, metavar="DIR", help="Measure on all pools of this folder instead."
    )
    parser.add_argument(
        "--pools", type=int, default=POOLS_DEFAULT, metavar="N", help="So many pools at most."
    )
    parser.add_argument("--seeds", type=int, default=2, metavar="N", help="Rings of each kind for a pool.")


def run(options: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the figures. Raises ConfigurationError when there is nothing to measure on."""
    pools, seeds = options["pools"], options["seeds"]
    if not 1 <= pools <= POOLS_MOST or not 1 <= seeds <= SEEDS_MOST:
        raise ConfigurationError(
            "Nothing can be measured so.", remedy=f"--pools 1 to {POOLS_MOST}, --seeds 1 to {SEEDS_MOST}."
        )
    if options["test"] is None:
        histories = [item for item in read_histories(options["data"]) if not is_for_tuning(item.pool)]
    else:
        histories = read_histories(options["test"])
    histories = _sample([item for item in histories if _is_enough(item.trades)], pools)
    if not histories:
        raise ConfigurationError(
            "No pool has enough swaps by enough people.",
            remedy=f"At least {SWAPS_MIN} swaps by {ENTITIES_MIN} addresses are needed.",
        )
    return _report(histories, seeds=seeds)


def is_for_tuning(pool: str) -> bool:
    """Tell whether thresholds may be looked at on this pool; figures never come from it."""
    return int(hashlib.sha256(f"wash|{pool}".encode()).hexdigest()[:8], 16) % 2 == 0


def _sample(histories: Sequence[SwapHistory], count: int) -> list[SwapHistory]:
    if len(histories) <= count:
        return list(histories)
    return Random(SEED).sample(histories, count)  # noqa: S311  # for measuring, not for secrets


def _is_enough(trades: Sequence[Trade]) -> bool:
    return len(trades) >= SWAPS_MIN and len({trade.address for trade in trades}) >= ENTITIES_MIN


# -- counting -----------------------------------------------------------------------------
@dataclass(slots=True)
class _Tally:
    """Swaps counted over rings: of rings, found and wrongly found, by level."""

    counts: Counter[str] = field(default_factory=Counter)

    def add(self, planted: Planted, classes: Sequence[Class]) -> None:
        counts, found = self.counts, 0
        for trade, taken_for in zip(planted.trades[-len(classes) :], classes, strict=True):
            is_ring = (trade.tx_hash, trade.log_index) in planted.ring_trades
            counts["ring"] += is_ring
            for name, least in _LEVELS.items():
                if least <= taken_for <= Class.STRICT:
                    counts[f"{'hit' if is_ring else 'wrong'}_{name}"] += 1
            found += is_ring and Class.LIKELY <= taken_for <= Class.STRICT
        counts["rings"] += 1
        counts["rings_found"] += 2 * found >= len(planted.ring_trades)

    def figures(self) -> dict[str, float | None]:
        counts = self.counts
        found: dict[str, float | None] = {}
        for name in _LEVELS:
            ending = f"_{name}" if name else ""
            hits, wrong = counts[f"hit_{name}"], counts[f"wrong_{name}"]
            found[f"recall{ending}"] = _ratio(hits, counts["ring"])
            found[f"precision{ending}"] = _ratio(hits, hits + wrong)
        found["f1"] = _ratio(2 * counts["hit_"], counts["hit_"] + counts["wrong_"] + counts["ring"])
        found["ring_recall"] = _ratio(counts["rings_found"], counts["rings"])
        return found


Detector = Callable[
    [Sequence[Trade], Sequence[TokenMove], Sequence[FundingLink], SwapHistory], Sequence[Class]
]


def _detected(
    trades: Sequence[Trade],
    moves: Sequence[TokenMove],
    funding: Sequence[FundingLink],
    history: SwapHistory,
) -> Sequence[Class]:
    return detect(trades, moves, funding, history).classes


def detect(
    trades: Sequence[Trade],
    moves: Sequence[TokenMove],
    funding: Sequence[FundingLink],
    history: SwapHistory,
) -> WashReport:
    """Return the report as the running system would make it: cluster first, then match."""
    excluded = frozenset(EXCHANGES) | history.contracts
    entities = entities_of(Reading(trades=trades, moves=moves, funding=funding, excluded=excluded))
    return wash_report(trades, entities, cross_pool=history.cross_pool)


def _per_wallet(
    trades: Sequence[Trade], _moves: object, _funding: object, history: SwapHistory
) -> Sequence[Class]:
    """Return whose own purchases and sales balance in fixed windows of 900 seconds: methods without entities."""
    windows: defaultdict[tuple[str, int], list[int]] = defaultdict(list)
    for place, trade in enumerate(trades):
        if trade.address not in history.contracts:
            windows[trade.address, trade.at_ms // 900_000].append(place)
    classes = [Class.ORGANIC] * len(trades)
    for places in windows.values():
        buys = [trades[place].base_raw for place in places if trades[place].side == "buy"]
        sells = [trades[place].base_raw for place in places if trades[place].side == "sell"]
        bought, sold = sum(buys), sum(sells)
        if min(len(buys), len(sells)) >= 3 and abs(bought - sold) * _BPS <= 500 * (bought + sold):
            for place in places:
                classes[place] = Class.LIKELY
    return classes


def _chainalysis(
    trades: Sequence[Trade], _moves: object, _funding: object, history: SwapHistory
) -> Sequence[Class]:
    """Return wallets' round trips within 25 blocks and a percent of value, where there are three or more."""
    by_wallet: defaultdict[str, list[int]] = defaultdict(list)
    for place, trade in enumerate(trades):
        if trade.address not in history.contracts:
            by_wallet[trade.address].append(place)
    classes = [Class.ORGANIC] * len(trades)
    for places in by_wallet.values():
        pairs: list[int] = []
        for one, other in pairwise(places):
            buy, sell = trades[one], trades[other]
            alike = abs(buy.quote_raw - sell.quote_raw) * _BPS < _DIFFERENCE_H1_BPS * buy.quote_raw
            if (buy.side, sell.side) == ("buy", "sell") and sell.block - buy.block <= _BLOCKS_H1 and alike:
                pairs += [one, other]
        if len(pairs) >= 2 * _PAIRS_H1:
            for place in pairs:
                classes[place] = Class.LIKELY
    return classes


# -- the report ---------------------------------------------------------------------------
def _rings(history: SwapHistory, seeds: int) -> Iterable[Planted]:
    for seed in range(seeds):
        for kind in RING_KINDS:
            for is_one in (True, False):
                found = plant(
                    history.trades, kind=kind, is_funded_from_one=is_one, seed=f"{SEED}/{history.pool}/{seed}"
                )
                if found is not None:
                    yield found


def _report(histories: Sequence[SwapHistory], *, seeds: int) -> Mapping[str, Any]:
    names: dict[str, Detector] = {
        "per_wallet": _per_wallet,
        "round_trips": _chainalysis,
        "no_funding": lambda trades, moves, _, history: _detected(trades, moves, (), history),
        "no_funding_no_transfers": lambda trades, _, __, history: _detected(trades, (), (), history),
    }
    by_pool: dict[str, dict[str, _Tally]] = {}
    kinds: defaultdict[str, _Tally] = defaultdict(_Tally)
    likelihoods: list[tuple[float, bool]] = []
    for history in histories:
        tallies = by_pool.setdefault(history.pool, defaultdict(_Tally))
        for planted in _rings(history, seeds):
            for name, detector in names.items():
                tallies[name].add(planted, detector(planted.trades, planted.moves, planted.funding, history))
            report = detect(planted.trades, planted.moves, planted.funding, history)
            tallies[""].add(planted, report.classes)
            funded = "one_funder" if planted.is_funded_from_one else "many_funders"
            kinds[f"{planted.kind}/{funded}"].add(planted, report.classes)
            likelihoods.append((wash_part(report).likelihood_bps / _BPS, True))
    untouched = {history.pool: _untouched(history) for history in histories}
    likelihoods += [(figures.pop("likelihood"), False) for figures in untouched.values()]
    pools = [history.pool for history in histories]
    return {
        "n": len(histories),
        "n_rings": sum(tallies[""].counts["rings"] for tallies in by_pool.values()),
        "n_swaps": sum(len(history.trades) for history in histories),
        "are_addresses_drawn": histories[0].are_addresses_drawn,
        "metrics": _rounded(_figures(pools, by_pool, untouched, "")),
        "baselines": {
            name: _rounded(_figures(pools, by_pool, untouched, name))
            for name in ("per_wallet", "round_trips")
        },
        "ci95": _intervals(pools, by_pool, untouched),
        "missing": {
            name: _rounded(_figures(pools, by_pool, untouched, name))
            for name in ("no_funding", "no_funding_no_transfers")
        },
        "by_kind": {name: _rounded(tally.figures()) for name, tally in sorted(kinds.items())},
        "calibration": _calibration(likelihoods),
        "speed": _speed(),
        "definitions": DEFINITIONS,
    }


def _untouched(history: SwapHistory) -> dict[str, float]:
    funding = background_funding(history.trades, seed=f"{SEED}/{history.pool}")
    report = detect(history.trades, (), funding, history)
    is_traded = report.volume_raw > report.extraction_raw
    return {
        "likelihood": wash_part(report).likelihood_bps / _BPS if is_traded else 0.0,
        "alarm_rate_untouched": float(report.likely_raw * _BPS >= ALARM_BPS * report.volume_raw),
        "wash_share_untouched": report.likely_raw / report.volume_raw,
        "wash_share_untouched_strict": report.strict_raw / report.volume_raw,
        "wash_share_untouched_loose": report.loose_raw / report.volume_raw,
        "extraction_share_untouched": report.extraction_raw / report.volume_raw,
    }


def _figures(
    pools: Sequence[str],
    by_pool: Mapping[str, Mapping[str, _Tally]],
    untouched: Mapping[str, Mapping[str, float]],
    name: str,
) -> dict[str, float | None]:
    total = _Tally()
    for pool in pools:
        total.counts.update(by_pool[pool][name].counts)
    found = total.figures()
    if not name:
        for figure in untouched[pools[0]]:
            found[figure] = sum(untouched[pool][figure] for pool in pools) / len(pools)
    return found


def _intervals(
    pools: Sequence[str],
    by_pool: Mapping[str, Mapping[str, _Tally]],
    untouched: Mapping[str, Mapping[str, float]],
) -> dict[str, list[float]]:
    chance = Random(SEED)  # noqa: S311  # for measuring, not for secrets
    drawn: defaultdict[str, list[float]] = defaultdict(list)
    for _ in range(BOOTSTRAP_ROUNDS):
        sample = chance.choices(pools, k=len(pools))
        for name, value in _figures(sample, by_pool, untouched, "").items():
            if value is not None:
                drawn[name].append(value)
    edges = {name: sorted(values) for name, values in drawn.items()}
    return {
        name: [
            round(values[int(0.025 * (len(values) - 1))], 4),
            round(values[int(0.975 * (len(values) - 1))], 4),
        ]
        for name, values in edges.items()
    }


def _calibration(likelihoods: Sequence[tuple[float, bool]]) -> dict[str, Any]:
    """Return how true the likelihood of a ring is where a fifth of all pools has one: pools are weighed to that rate."""
    rings = sum(is_ring for _, is_ring in likelihoods)
    weight = {True: WASH_PRIOR / max(rings, 1), False: (1 - WASH_PRIOR) / max(len(likelihoods) - rings, 1)}
    bins: defaultdict[int, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
    brier = 0.0
    for likelihood, is_ring in likelihoods:
        own = bins[min(int(likelihood * _BINS), _BINS - 1)]
        own[0] += weight[is_ring]
        own[1] += weight[is_ring] * likelihood
        own[2] += weight[is_ring] * is_ring
        brier += weight[is_ring] * (likelihood - is_ring) ** 2
    whole = sum(own[0] for own in bins.values())
    return {
        "base_rate": WASH_PRIOR,
        "brier": round(brier / whole, 4),
        "brier_base_rate": round(WASH_PRIOR * (1 - WASH_PRIOR), 4),
        "ece": round(sum(abs(own[1] - own[2]) for own in bins.values()) / whole, 4),
        "reliability": [
            {
                "predicted": round(own[1] / own[0], 4),
                "happened": round(own[2] / own[0], 4),
                "weight": round(own[0] / whole, 4),
            }
            for _, own in sorted(bins.items())
        ],
    }


def _speed() -> dict[str, float]:
    """Return how long one graph takes on this machine, the least of several and the middle."""
    found: dict[str, float] = {}
    for name, addresses in (("typical", SPEED_ADDRESSES), ("untypical", 50)):
        trades, entities = drawn_graph(addresses), Entities()
        times: list[float] = []
        for _ in range(SPEED_ROUNDS):
            started = time.process_time()
            wash_report(trades, entities)
            times.append((time.process_time() - started) * 1_000)
        found[f"{name}_ms_least"] = round(min(times), 2)
        found[f"{name}_ms_p50"] = round(sorted(times)[len(times) // 2], 2)
    return found


def drawn_graph(addresses: int) -> tuple[Trade, ...]:
    """Return 5,000 drawn swaps of so many addresses, some far busier than others: for timing alone."""
    chance = Random(SEED)  # noqa: S311
    return tuple(
        Trade(
            at_ms=1_600_000_000_000 + number * 3_000,
            block=number // 4,
            tx_hash=f"0x{number:064x}",
            log_index=number % 4,
            address=f"0x{int(addresses * chance.random() ** 2):040x}",
            side=chance.choice(("buy", "buy", "sell")),
            base_raw=int(10**18 * chance.lognormvariate(5, 1.5)),
            quote_raw=int(10**18 * chance.lognormvariate(0, 1.5)),
        )
        for number in range(SPEED_SWAPS)
    )


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _rounded(figures: Mapping[str, float | None]) -> dict[str, float | None]:
    return {name: None if value is None else round(value, 4) for name, value in figures.items()}
