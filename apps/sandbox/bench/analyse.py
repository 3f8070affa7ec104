"""One analysis with every analyser, from facts that were read to the stored verdict; many at once; and a wash graph.

The pairs are real ones of a local chain with drawn trades, holders, people, messages and a regime, kept as the system keeps
them. Nothing is read from the chain while the clock runs: that is what `bench evaluate` measures.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

from django.db import close_old_connections
from django.utils import timezone

from apps.discovery.models import Pair, PoolSnapshot
from apps.discovery.selectors import deployer_history
from apps.discovery.services.listings import listing_of
from apps.domain.entities import Entities
from apps.domain.estimate import Estimate
from apps.domain.market import BlockRef, DeployerHistory, Listing, PairFacts, PoolSwap
from apps.engine import context, housekeeping, wiring
from apps.engine.assessment import facts_completed
from apps.intelligence.evaluation.wash import drawn_graph
from apps.intelligence.logic.mentions import signature_to_text
from apps.intelligence.logic.social import signature_of
from apps.intelligence.logic.wash import wash_report
from apps.intelligence.models import (
    FundingLinkRecord,
    MarketRegimeRecord,
    SocialMention,
    SocialMessage,
    SocialSourceState,
)
from apps.intelligence.services.analysis import StoredAnalysis, analysis_run
from apps.intelligence.services.crosschain import crosschain_estimates
from apps.intelligence.services.entities import entities_store, people_read
from apps.intelligence.services.stopwatch import Stopwatch
from apps.risk.services.verdicts import verdict_issue
from apps.sandbox.bench.ground import Ground, follower_of, grounds, quantiles_of
from apps.state.services.config import active_config

_PAIRS = 10
_TRADES, _TRADERS, _HOLDERS, _MESSAGES, _AUTHORS, _SNAPSHOTS = 300, 120, 100, 200, 60, 200
_WARM_UP, _RUNS, _AT_ONCE = 20, 100, 100
#: As many as the two workers have together for this queue.
_THREADS = 4
_WASH_RUNS = 40
_WASH_ADDRESSES = {"typical": 2_000, "busy": 50}
_SEED = 7
_MINUTE = timedelta(minutes=1)
_WORDS = [
    "moon",
    "dump",
    "buy",
    "sell",
    "hold",
    "scam",
    "gem",
    "launch",
    "soon",
    "team",
    "liquidity",
    "locked",
    "chart",
    "dead",
    "pump",
    "good",
    "bad",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """One stored pair with the facts that were read of it."""

    pair_id: int
    listing: Listing
    facts: PairFacts
    history: DeployerHistory | None


def run() -> dict[str, Any]:
    """Measure and return the report. Times are in milliseconds unless they end in ``_s``.

    Times of the processor stand beside those of the clock: they say more where other programs run.
    """
    with grounds(1) as (ground,):
        cases = _cases(ground)
        known = [_whole(case) for case in _spread(cases, _WARM_UP)][-1]
        whole, cpu = [], []
        for case in _spread(cases, _RUNS):
            before = time.thread_time()
            whole.append(_timed(_whole, case))
            cpu.append((time.thread_time() - before) * 1_000)
        bare = [_timed(_bare, case) for case in _spread(cases, _RUNS)]
        started = time.perf_counter()
        with ThreadPoolExecutor(_THREADS) as pool:
            at_once = list(pool.map(_apart, _spread(cases, _AT_ONCE)))
        at_once_s = time.perf_counter() - started
    figures = {
        "analysis_ms": quantiles_of(whole),
        "analysis_cpu_ms": quantiles_of(cpu),
        "figures_known": sum(item.is_known for item in known),
        "figures_in_all": len(known),
        "trades_of_a_pair": _TRADES,
        "messages_of_a_pair": _MESSAGES,
        "at_once": len(at_once),
        "threads": _THREADS,
        "all_at_once_s": round(at_once_s, 2),
        "wash_graph_5000_cpu_ms": {
            name: quantiles_of(_wash_ms(count)) for name, count in _WASH_ADDRESSES.items()
        },
    }
    baseline = quantiles_of(bare)
    ratio = float(quantiles_of(whole)["p50"]) / float(baseline["p50"])
    return {
        "figures": figures,
        "baseline": {"facts_alone_ms": baseline},
        "ratio": {"analysis_p50_over_facts_alone": round(ratio, 2)},
    }


# -- what is timed ------------------------------------------------------------------------
def _whole(case: _Case) -> tuple[Estimate, ...]:
    """Gather, analyse, judge and store, as the road does once the facts are read."""
    gathered = context.gathered(
        listing=case.listing, facts=case.facts, history=case.history, pair_id=case.pair_id
    )
    across = crosschain_estimates(
        listing=case.listing, facts=case.facts, pair_id=case.pair_id, now_ms=housekeeping.now_ms()
    )
    stored = _stored(case, also=(*gathered.estimates, *across), stopwatch=gathered.stopwatch)
    active = active_config()
    verdict_issue(
        analysis=stored.analysis,
        analysis_id=stored.record_id,
        pair_id=case.pair_id,
        config=active.config,
        config_revision=active.revision,
        assessment="full",
    )
    return stored.analysis.estimates


def _bare(case: _Case) -> None:
    """Analyse the facts alone and store that: no people, no talk, no market, no verdict."""
    _stored(case, also=(), stopwatch=Stopwatch())


def _stored(case: _Case, *, also: Sequence[Estimate], stopwatch: Stopwatch) -> StoredAnalysis:
    return analysis_run(
        listing=case.listing,
        pair_id=case.pair_id,
        facts=case.facts,
        history=case.history,
        now_ms=housekeeping.now_ms(),
        also=also,
        stopwatch=stopwatch,
    )


def _timed(act: Any, case: _Case) -> float:
    started = time.perf_counter()
    act(case)
    return (time.perf_counter() - started) * 1_000


def _apart(case: _Case) -> float:
    close_old_connections()
    return _timed(_whole, case)


def _spread(cases: Sequence[_Case], count: int) -> list[_Case]:
    return [cases[number % len(cases)] for number in range(count)]


def _wash_ms(addresses: int) -> list[float]:
    trades, entities = drawn_graph(addresses), Entities()
    spent = []
    for _ in range(_WASH_RUNS):
        started = time.thread_time()
        wash_report(trades, entities)
        spent.append((time.thread_time() - started) * 1_000)
    return spent


# -- what is stored -----------------------------------------------------------------------
def _cases(ground: Ground) -> list[_Case]:
    follower = follower_of(ground)
    ground.launch(_PAIRS)
    follower.advance()
    now = timezone.now()
    ports = wiring.chain_ports(ground.key)
    _market(ports.profile.native.symbol, now)
    SocialSourceState.objects.create(source="telegram", state="up", since=now, checked_at=now)
    pairs = Pair.objects.filter(chain_key=ground.key).select_related("base", "quote").order_by("id")
    return [_case(ports, pair, now) for pair in pairs[:_PAIRS]]


def _case(ports: wiring.ChainPorts, pair: Pair, now: datetime) -> _Case:
    chance = Random(f"{_SEED}/{pair.pk}")  # noqa: S311  # drawn market data, not secrets
    listing = listing_of(pair)
    buyer = wiring.signer().address(wiring.trading_wallet_key(ports.profile))
    probe_raw = housekeeping.probe_amount_raw(
        active_config().config, ports.profile, ports.reader.quote_price_usd_micros()
    )
    facts = ports.reader.pair_facts(
        listing, buyer=buyer, probe_amount_raw=probe_raw, previous_swaps_from=pair.created_block_number
    )
    facts = facts_completed(ports.reader, listing, facts, buyer=buyer, probe_amount_raw=probe_raw)
    people = [f"0x{chance.getrandbits(160):040x}" for _ in range(_TRADERS)]
    facts = replace(
        facts,
        swaps=_swaps(listing, facts.block, people, chance),
        holders=tuple((who, 10**24 // (place + 10)) for place, who in enumerate(people[:_HOLDERS])),
        moves=(),
    )
    _funding(listing, people, facts.block, now)
    _talk(pair, chance, now)
    _snapshots(pair, facts, chance, now)
    read = people_read(listing=listing, facts=facts, pair_id=pair.pk)
    entities_store(listing=listing, pair_id=pair.pk, block_number=facts.block.number, entities=read.entities)
    history = deployer_history(chain_key=pair.chain_key, creator=pair.creator, before_pair_id=pair.pk)
    return _Case(pair_id=pair.pk, listing=listing, facts=facts, history=history)


def _swaps(listing: Listing, newest: BlockRef, people: Sequence[str], chance: Random) -> tuple[PoolSwap, ...]:
    return tuple(
        PoolSwap(
            pair_key=listing.pair_key,
            side=chance.choice(("buy", "buy", "sell")),
            base_raw=int(10**18 * chance.lognormvariate(8, 1)),
            quote_raw=int(10**18 * chance.lognormvariate(-3, 1)),
            trader=people[int(len(people) * chance.random() ** 2)],
            tx_hash=f"0x{chance.getrandbits(256):064x}",
            log_index=number % 3,
            block=replace(
                newest,
                number=newest.number - (_TRADES - number) // 3,
                at_ms=newest.at_ms - (_TRADES - number) // 3 * 2_000,
            ),
        )
        for number in range(_TRADES)
    )


def _funding(listing: Listing, people: Sequence[str], block: BlockRef, now: datetime) -> None:
    """Let every third wallet have its first coins from one of a few others, the rest from strangers."""
    FundingLinkRecord.objects.bulk_create(
        FundingLinkRecord(
            chain_key=listing.base.chain_key,
            target=who,
            source=people[place % 7] if place % 3 == 0 and place >= 7 else f"0x{place:040x}",
            tx_hash=f"0x{place:064x}",
            block_number=max(block.number - 50, 0),
            at=now - 10 * _MINUTE,
            amount_raw=10**17,
            looked_at=now,
        )
        for place, who in enumerate(people)
    )


def _talk(pair: Pair, chance: Random, now: datetime) -> None:
    texts = [" ".join(chance.choices(_WORDS, k=12)) for _ in range(_MESSAGES)]
    messages = SocialMessage.objects.bulk_create(
        SocialMessage(
            source="telegram",
            channel="bench",
            dedup_key=f"telegram/bench/{pair.pk}/{number}",
            author=f"author{chance.randrange(_AUTHORS)}",
            signature=signature_to_text(signature_of(text)),
            score_bps=chance.randrange(-10_000, 10_001),
            bot_bps=chance.randrange(0, 6_000),
            account_age_s=chance.randrange(86_400, 10**8),
            is_simulated=True,
            sent_at=now - chance.random() * 50 * _MINUTE,
            received_at=now,
        )
        for number, text in enumerate(texts)
    )
    SocialMention.objects.bulk_create(
        SocialMention(message=message, pair=pair, match="address", sent_at=message.sent_at)
        for message in messages
    )


def _snapshots(pair: Pair, facts: PairFacts, chance: Random, now: datetime) -> None:
    assert facts.reserves is not None, "a pool that was just launched has reserves"
    PoolSnapshot.objects.filter(pair=pair).delete()
    PoolSnapshot.objects.bulk_create(
        PoolSnapshot(
            pair=pair,
            block_number=max(facts.block.number - _SNAPSHOTS, 0) + number,
            at=now - (_SNAPSHOTS - number) * _MINUTE / 4,
            base_raw=facts.reserves.base_raw * chance.randrange(900, 1_100) // 1_000,
            quote_raw=facts.reserves.quote_raw,
            quote_price_usd_micros=facts.quote_price_usd_micros,
        )
        for number in range(_SNAPSHOTS)
    )


def _market(symbol: str, now: datetime) -> None:
    MarketRegimeRecord.objects.create(
        market=symbol,
        regime="bull",
        by_rule="bull",
        second_opinion="bull",
        confidence_bps=9_000,
        volatility_state="normal",
        hour_deviation_bps=60,
        breakout_bps=3_000,
        breakout_level=4_000,
        bars=400,
        source="bench",
        is_simulated=True,
        why="Drawn for a measurement.",
        trace_id="0" * 32,
        as_of=now,
        created_at=now,
    )
