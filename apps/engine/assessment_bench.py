"""How fast a token is assessed in full: singly, many at once, and against a bare simulated round trip."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from statistics import quantiles
from typing import Any

from apps.chains.evm.probes_bench import bare_round_trip_ms
from apps.chains.evm.simulate import Plan
from apps.chains.evm.simulate_local import is_available
from apps.chains.evm.simulate_script import Stage
from apps.chains.selectors import endpoint_configs
from apps.domain.market import Listing, PairFacts
from apps.engine import housekeeping, wiring
from apps.engine.assessment import buyer_of, facts_in_full, token_listing
from apps.state.services.config import active_config

IN_FLIGHT = 16
_BARE_RUNS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchReport:
    """Milliseconds of one full assessment (facts and probes), and how many a second with 16 in flight.

    ``bare_ms`` is one buy–approve–sell in an EVM of our own process, None where none is installed.
    """

    runs: int
    single_ms_p50: float
    single_ms_p95: float
    loaded_ms_p50: float
    loaded_ms_p95: float
    per_second: float
    bare_ms: float | None

    def fields(self) -> dict[str, Any]:
        """Return the report as plain JSON."""
        ratio = None if not self.bare_ms else round(self.single_ms_p50 / self.bare_ms, 1)
        return {**asdict(self), "in_flight": IN_FLIGHT, "single_to_bare": ratio}


def bench(chain_key: str, token_address: str, *, runs: int) -> BenchReport:
    """Return the measurements on one token of a configured chain."""
    ports = wiring.chain_ports(chain_key)
    _, listing = token_listing(ports, token_address)
    config = active_config().config
    amount_raw = housekeeping.probe_amount_raw(config, ports.profile, ports.reader.quote_price_usd_micros())
    buyer = buyer_of(ports)

    def once() -> tuple[float, PairFacts]:
        started = time.perf_counter()
        facts = facts_in_full(ports.reader, listing, buyer=buyer, probe_amount_raw=amount_raw)
        return (time.perf_counter() - started) * 1_000, facts

    facts = once()[1]
    single = [once()[0] for _ in range(runs)]
    started = time.perf_counter()
    with ThreadPoolExecutor(IN_FLIGHT) as pool:
        loaded = [spent for spent, _ in pool.map(lambda _: once(), range(runs))]
    per_second = runs / (time.perf_counter() - started)
    return BenchReport(
        runs=runs,
        single_ms_p50=_quantile(single, 50),
        single_ms_p95=_quantile(single, 95),
        loaded_ms_p50=_quantile(loaded, 50),
        loaded_ms_p95=_quantile(loaded, 95),
        per_second=round(per_second, 1),
        bare_ms=_bare_ms(ports, listing, facts, amount_raw=amount_raw),
    )


def bench_lines(report: BenchReport) -> Iterator[str]:
    """Yield the report for people."""
    yield f"One at a time, {report.runs} runs: p50 {report.single_ms_p50} ms, p95 {report.single_ms_p95} ms."
    yield (
        f"{IN_FLIGHT} in flight: {report.per_second} a second,"
        f" p50 {report.loaded_ms_p50} ms, p95 {report.loaded_ms_p95} ms."
    )
    if report.bare_ms:
        ratio = report.single_ms_p50 / report.bare_ms
        yield f"A bare buy–approve–sell in our own process: {report.bare_ms} ms; a full assessment is {ratio:.0f} of them."


def _bare_ms(
    ports: wiring.ChainPorts, listing: Listing, facts: PairFacts, *, amount_raw: int
) -> float | None:
    received = next((trip.received_raw for trip in facts.round_trips if trip.received_raw), None)
    endpoints = endpoint_configs(ports.profile.chain_key)
    if not is_available() or received is None or not endpoints:
        return None
    fees = ports.reader.fees()
    plan = Plan(
        buyer=buyer_of(ports),
        pool=listing.pool_address,
        router=ports.dexes[listing.dex_key].router,
        wrapped=listing.quote.address,
        token=listing.base.address,
        amount_in_raw=amount_raw,
        fee_bps=listing.fee_bps,
        base_fee_wei=fees.base_fee_wei,
        tip_wei=fees.tip_wei,
        block=hex(facts.block.number),
    )
    stage = Stage(
        number=facts.block.number,
        at_s=facts.block.at_ms // 1_000,
        block_time_ms=ports.profile.block_time_ms,
        base_fee_wei=fees.base_fee_wei,
        tip_wei=fees.tip_wei,
    )
    spent = bare_round_trip_ms(
        endpoints[0].url_http,
        plan,
        stage,
        received_raw=received,
        runs=_BARE_RUNS,
        chain_id=ports.profile.chain_id or 0,
    )
    return round(spent, 3)


def _quantile(spent: list[float], percent: int) -> float:
    if len(spent) < 2:
        return round(spent[0], 1)
    return round(quantiles(spent, n=100, method="inclusive")[percent - 1], 1)
