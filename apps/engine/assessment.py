"""The full assessment of any token on a configured chain: found, read, tried, judged, and said in plain words."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from apps.discovery.models import Pair
from apps.discovery.selectors import deployer_history
from apps.discovery.services.listings import listing_of
from apps.domain.analysis import Analysis
from apps.domain.errors import BadDataError, ConfigurationError, NetworkError
from apps.domain.estimate import Estimate
from apps.domain.ids import ChainKey, pair_key_of, trace_id_of
from apps.domain.market import BlockRef, DeployerHistory, Funding, Listing, PairFacts
from apps.domain.money import BPS_ONE, USD_MICROS, Token
from apps.domain.ports import ChainReader
from apps.domain.verdict import RiskVerdict
from apps.engine import housekeeping, wiring
from apps.engine.opinions import opinions_fetch_now, opinions_of
from apps.intelligence.services.analysis import analysis_of
from apps.risk.logic.explainer import explain
from apps.risk.logic.judge import judge
from apps.risk.services.loss import loss_estimate
from apps.state.services.config import active_config

#: Whose round trips are simulated where no wallet trades: any account without code or coins will do.
_NOBODY = "0x00000000000000000000000000000000a55e55ed"
#: Where nothing tells when a pool was created, its events are looked for in so many blocks.
_LOOKBACK_BLOCKS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessed:
    """Everything that was found out about one token. ``duration_ms`` is reading and trying, without finding the pool."""

    listing: Listing
    facts: PairFacts
    analysis: Analysis
    verdict: RiskVerdict
    duration_ms: int


def token_assess(chain_key: str, token_address: str, *, asks_outside: bool = False) -> Assessed:
    """Return the full assessment of a token. Raises ConfigurationError, NetworkError, BadDataError.

    What outside services were last known to say counts; with ``asks_outside`` they are asked at once.
    """
    if asks_outside:
        opinions_fetch_now(chain_key, token_address)
    ports = wiring.chain_ports(chain_key)
    pair, listing = token_listing(ports, token_address)
    active = active_config()
    probe_raw = housekeeping.probe_amount_raw(
        active.config, ports.profile, ports.reader.quote_price_usd_micros()
    )
    started = time.monotonic()
    facts = facts_in_full(ports.reader, listing, buyer=buyer_of(ports), probe_amount_raw=probe_raw)
    duration_ms = int((time.monotonic() - started) * 1_000)
    history = _history(pair, listing)
    analysis = analysis_of(
        listing=listing,
        facts=facts,
        history=history,
        now_ms=housekeeping.now_ms(),
        funding=_funding(ports.reader, pair, listing),
    )
    loss = loss_estimate(listing=listing, facts=facts, history=history)
    analysis = replace(analysis, estimates=(*analysis.estimates, loss))
    outside = opinions_of(listing=listing, facts=facts)
    analysis = replace(analysis, estimates=(*analysis.estimates, *outside))
    verdict = judge(
        analysis=analysis, config=active.config, config_revision=active.revision, assessment="full"
    )
    return Assessed(listing=listing, facts=facts, analysis=analysis, verdict=verdict, duration_ms=duration_ms)


def facts_in_full(reader: ChainReader, listing: Listing, *, buyer: str, probe_amount_raw: int) -> PairFacts:
    """Return the facts of a first look and, at the same block, what the full assessment found out."""
    facts = reader.pair_facts(
        listing,
        buyer=buyer,
        probe_amount_raw=probe_amount_raw,
        previous_swaps_from=listing.created_block.number,
    )
    return facts_completed(reader, listing, facts, buyer=buyer, probe_amount_raw=probe_amount_raw)


def facts_completed(
    reader: ChainReader, listing: Listing, facts: PairFacts, *, buyer: str, probe_amount_raw: int
) -> PairFacts:
    """Return the facts of a first look with the full assessment at their block."""
    probes = reader.token_probes(listing, facts, buyer=buyer, probe_amount_raw=probe_amount_raw)
    return replace(facts, probes=probes)


def buyer_of(ports: wiring.ChainPorts) -> str:
    """Return the address whose trades are simulated: the trading wallet's, or a stranger's where there is none."""
    try:
        return wiring.signer().address(wiring.trading_wallet_key(ports.profile))
    except ConfigurationError:
        return _NOBODY


# -- which pool -----------------------------------------------------------------------------------


def token_listing(ports: wiring.ChainPorts, token_address: str) -> tuple[Pair | None, Listing]:
    """Return the token's deepest pool as a listing, and its row when it is registered. Raises BadDataError without one."""
    found = ports.reader.deepest_pool(token_address)
    if found is None:
        raise BadDataError(
            f"The token {token_address} has no pool with {ports.profile.wrapped_native.symbol} on {ports.profile.name}.",
            remedy="Check chain and address; only pools with the chain's own coin on a configured exchange are assessed.",
        )
    dex_key, pool_address = found
    key = pair_key_of(ports.profile.chain_key, pool_address)
    pair = Pair.objects.select_related("base", "quote").filter(pair_key=key, removed_at=None).first()
    if pair is not None and pair.base.address.lower() == token_address.lower():
        return pair, listing_of(pair)
    return None, _unregistered(ports, dex_key, pool_address, token_address)


def _unregistered(ports: wiring.ChainPorts, dex_key: str, pool_address: str, token_address: str) -> Listing:
    """Return a listing of a pool that is not registered; what its creation log does not tell stays unknown."""
    chain_key, reader = ChainKey(ports.profile.chain_key), ports.reader
    metadata = reader.token_metadata([token_address])[token_address]
    if metadata.decimals is None:
        raise BadDataError(
            f"The token {token_address} does not say how many decimals it has.",
            remedy="Check that the address is a token's; amounts of this one mean nothing.",
        )
    created, creator, fee_bps = _creation(reader, pool_address)
    wrapped = ports.profile.wrapped_native
    pair_key = pair_key_of(chain_key, pool_address)
    return Listing(
        trace_id=trace_id_of(pair_key, 1),
        pair_key=pair_key,
        dex_key=dex_key,
        pool_address=pool_address,
        base=Token(chain_key, metadata.address, metadata.symbol, metadata.decimals),
        quote=wrapped,
        base_is_token0=int(token_address, 16) < int(wrapped.address, 16),
        fee_bps=ports.dexes[dex_key].fee_bps if fee_bps is None else fee_bps,
        created_block=created,
        creator=creator,
    )


def _creation(reader: ChainReader, pool_address: str) -> tuple[BlockRef, str, int | None]:
    """Return block, sender and own fee of the pool's creation; a recent block, "" and None where no endpoint tells."""
    try:
        pools = reader.pool_tokens([pool_address])
        event = reader.pool_creations(list(pools.values())).get(pool_address)
        if event is not None:
            return event.block, reader.senders([event.tx_hash]).get(event.tx_hash, ""), event.fee_bps
    except NetworkError:
        pass  # the log cannot be searched so far back; the creator stays unknown
    head = reader.head()
    return reader.block(max(0, head.number - _LOOKBACK_BLOCKS)) or head, "", None


def _history(pair: Pair | None, listing: Listing) -> DeployerHistory | None:
    if pair is not None:
        return deployer_history(chain_key=pair.chain_key, creator=pair.creator, before_pair_id=pair.pk)
    newest = Pair.objects.order_by("-pk").values_list("pk", flat=True).first()
    return deployer_history(
        chain_key=listing.base.chain_key, creator=listing.creator, before_pair_id=(newest or 0) + 1
    )


def _funding(reader: ChainReader, pair: Pair | None, listing: Listing) -> Funding | None:
    """Return who paid for the launch, looked up at once where no row says so; None where nobody answers."""
    if not listing.creator or (pair is not None and pair.funding_state):
        return None
    try:
        return reader.first_funding(listing.creator, before_block=listing.created_block.number)
    except NetworkError:
        return None


# -- in words -------------------------------------------------------------------------------------


def lines_of(assessed: Assessed) -> Iterator[str]:
    """Yield the report: what it is, the verdict and its reasons, what shows them, what is unknown, all figures."""
    listing, analysis, probes = assessed.listing, assessed.analysis, assessed.facts.probes
    yield f"{listing.base.symbol} {listing.base.address} in pool {listing.pool_address} ({listing.dex_key})"
    yield f"Block {analysis.block.number}, read and tried in {assessed.duration_ms} ms."
    yield from explain(assessed.verdict).lines
    if analysis.evidence:
        yield "What shows it:"
        for item in analysis.evidence:
            yield f"- {item.code}: {item.summary}"
            yield from (f"    from {call.sender} to {call.to} data {call.data}" for call in item.calls)
    unknown = [item for item in analysis.estimates if not item.is_known]
    if unknown:
        yield "Unknown:"
        yield from (f"- {item.code}: {item.reason_unknown}" for item in unknown)
    yield "Figures:"
    yield from (f"- {item.code}: {figure(item)}" for item in analysis.estimates if item.is_known)
    if probes is not None:
        yield (
            f"Tried by {probes.runner or 'nothing'}: {len(probes.trades)} trades, {len(probes.acts)} acts of"
            f" {len(probes.commanders)} commanders; {len(probes.refused)} functions let nobody in."
        )


def figure(estimate: Estimate) -> str:
    """Return an estimate's value with its unit, for people."""
    value = estimate.value
    assert value is not None
    if estimate.unit == "bool":
        text = "yes" if value else "no"
    elif estimate.unit == "bps":
        text = f"{value * 100 / BPS_ONE:f} %"
    elif estimate.unit == "usd_micros":
        text = f"{value / USD_MICROS:.2f} USD"
    else:
        text = f"{value:f}" + ("" if estimate.unit in ("count", "raw") else f" {estimate.unit}")
    return text if estimate.confidence == Decimal(1) else f"{text} (confidence {estimate.confidence:f})"
