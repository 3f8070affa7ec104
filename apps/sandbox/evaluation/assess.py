"""Looks at a staged token with the eyes of the road: the same reader, the same analysis, the same rules.

Rules that speak of the market and not of the token are neutral here, because a test pool has no market: liquidity and its
age are the harness's own doing, half of the supply lies with the owner by the form of the test, nobody traded before.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Literal

from apps.chains.evm.client import EndpointConfig, EvmClient
from apps.chains.evm.reader import EvmReader
from apps.domain.analysis import Analysis
from apps.domain.config import Gates, TradingConfig
from apps.domain.errors import BadDataError
from apps.domain.ids import NATIVE_ADDRESS, ChainKey, pair_key_of, trace_id_of
from apps.domain.market import ChainProfile, DeployerHistory, DexProfile, Listing
from apps.domain.money import Token, raw_for_usd_micros, usd_to_micros
from apps.domain.verdict import Finding, Gate, Outcome, RiskVerdict
from apps.intelligence.logic.analyse import analyse
from apps.intelligence.logic.subject import Subject
from apps.risk.logic.judge import judge
from apps.sandbox.evaluation.chain import LocalChain
from apps.sandbox.evaluation.stage import Staged
from apps.sandbox.lockers import sandbox_locker

Verdict = Literal["safe", "unsafe", "unknown"]

#: Rules about the market around a token. Every other rule counts.
MARKET_RULES = frozenset(
    {
        "pair_age",
        "liquidity",
        "lp_removable",
        "deployer_history",
        "creator_holding",
        "creator_dump",
        "holders_top10",
        "holder_dump_top1",
        "holder_dump_top5",
        "loss_probability",
        "third_party_proof",
        "coordination",
    }
)
_FEE_BPS = 30
_NO_HISTORY = DeployerHistory(tokens=0, dead=0, alive=0, unknown=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """What came of looking at one token. Taxes are None when they were not measured."""

    verdict: Verdict
    refusals: tuple[Finding, ...]
    buy_tax_bps: int | None
    sell_tax_bps: int | None
    duration_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessor:
    """Everything that looking needs, built once a run."""

    reader: EvmReader
    dex: DexProfile
    config: TradingConfig


def token_only_config() -> TradingConfig:
    """Return the default configuration with the rules about the market switched off."""
    off = {name: Gate.OFF for name in MARKET_RULES if name in Gates.model_fields}
    return TradingConfig.model_validate({"gates": off})


def assessor_of(chain: LocalChain) -> Assessor:
    """Return an assessor of this chain's tokens."""
    at = chain.at
    key = ChainKey(at.spec.key)
    profile = ChainProfile(
        chain_key=key,
        name=at.spec.name,
        family="evm",
        chain_id=at.spec.chain_id,
        native=Token(key, NATIVE_ADDRESS, at.spec.native_symbol, 18),
        wrapped_native=Token(key, at.wrapped, at.spec.wrapped_symbol, 18),
        stables=(Token(key, at.stable, at.spec.stable_symbol, at.spec.stable_decimals),),
        block_time_ms=at.spec.block_time_ms,
        confirmation_depth=1,
        base_fee_min_wei=0,
        tip_min_wei=10**9,
        is_sandbox=True,
        genesis_hash=at.genesis_hash,
    )
    dex = DexProfile(
        chain_key=key,
        dex_key=at.spec.dex_key,
        kind="uniswap_v2",
        name=at.spec.dex_name,
        factory=at.factory,
        router=at.router,
        fee_bps=_FEE_BPS,
    )
    client = EvmClient.for_profile(profile, [EndpointConfig(url_http=chain.rpc.url)])
    reader = EvmReader(client, profile, lockers=(sandbox_locker(at.locker),), dexes=(dex,))
    return Assessor(reader=reader, dex=dex, config=token_only_config())


def assess(assessor: Assessor, staged: Staged, *, buyer: str) -> Assessment:
    """Return the verdict on a token, as the road would reach it. Raises SniperError."""
    listing = _listing(assessor, staged)
    started = time.perf_counter()
    verdict, analysis = _look(assessor, listing, buyer=buyer)
    duration_ms = (time.perf_counter() - started) * 1_000
    counted = [item for item in verdict.findings if item.rule not in MARKET_RULES and item.gate is Gate.VETO]
    return Assessment(
        verdict=verdict_of(counted),
        refusals=tuple(item for item in counted if item.outcome is not Outcome.PASS),
        buy_tax_bps=_figure(analysis, "buy_tax_bps"),
        sell_tax_bps=_figure(analysis, "sell_tax_bps"),
        duration_ms=duration_ms,
    )


def verdict_of(findings: list[Finding]) -> Verdict:
    """Return "safe" only when there are answers and every one is a pass; a failure outweighs what is unknown."""
    outcomes = {item.outcome for item in findings}
    if Outcome.FAIL in outcomes:
        return "unsafe"
    return "safe" if outcomes == {Outcome.PASS} else "unknown"


def _look(assessor: Assessor, listing: Listing, *, buyer: str) -> tuple[RiskVerdict, Analysis]:
    reader, config = assessor.reader, assessor.config
    price = reader.quote_price_usd_micros()
    if not price:
        raise BadDataError("the evaluation's chain has no price of its coin")
    probe_raw = raw_for_usd_micros(
        usd_to_micros(config.limits.position_max_usd), decimals=18, price_usd_micros=price
    )
    facts = reader.pair_facts(
        listing, buyer=buyer, probe_amount_raw=probe_raw, previous_swaps_from=listing.created_block.number
    )
    probes = reader.token_probes(listing, facts, buyer=buyer, probe_amount_raw=probe_raw)
    analysis = analyse(
        Subject(
            listing=listing,
            facts=replace(facts, probes=probes),
            history=_NO_HISTORY,
            wrapped_native_address=reader.profile.wrapped_native.address,
            now_ms=facts.block.at_ms,
        )
    )
    verdict = judge(analysis=analysis, config=config, config_revision=0, assessment="full")
    return verdict, analysis


def _listing(assessor: Assessor, staged: Staged) -> Listing:
    reader = assessor.reader
    key = reader.profile.chain_key
    block = reader.block(staged.pool_block)
    metadata = reader.token_metadata([staged.token])[staged.token]
    if block is None or metadata.decimals is None:
        raise BadDataError("the token does not tell its decimals: the road would not list it")
    pair_key = pair_key_of(key, staged.places.pair)
    return Listing(
        trace_id=trace_id_of(pair_key, 1),
        pair_key=pair_key,
        dex_key=assessor.dex.dex_key,
        pool_address=staged.places.pair,
        base=Token(key, staged.token, metadata.symbol, metadata.decimals),
        quote=reader.profile.wrapped_native,
        base_is_token0=int(staged.token, 16) < int(staged.places.wrapped, 16),
        fee_bps=assessor.dex.fee_bps,
        created_block=block,
        creator=staged.owner.address,
    )


def _figure(analysis: Analysis, code: str) -> int | None:
    estimate = analysis.estimate(code)
    return None if estimate is None or estimate.value is None else int(estimate.value)
