"""Chains: endpoints asked now, all at once, and what their rows lack."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from django.db import connections
from django.utils import timezone

from apps.chains.evm.capabilities import EndpointReport
from apps.chains.models import Chain, DexDeployment, Endpoint, Locker, Relay
from apps.chains.selectors import readable_chains
from apps.chains.services.endpoints import endpoint_check
from apps.chains.services.relays import RelayReport, relay_check
from apps.domain.errors import SniperError
from apps.engine.housekeeping import followed_chain_keys
from apps.engine.wiring import HEAD_AGE_MAX_S
from apps.intelligence.models import OutsideOpinion
from apps.intelligence.sources.reputation.registry import opinion_sources
from apps.state.services.config import active_config
from apps.trading.logic.ways import may_leak
from dexsniper.env import Environment
from dexsniper.health.check import Check, fault, good, warning
from dexsniper.supervisor import running_instance

_PROBES_AT_ONCE = 8
_MS = 1_000
_OPINIONS_LATELY = timedelta(hours=1)


def chains(env: Environment) -> Iterator[Check]:
    """Check that there is something to follow, that each endpoint serves its chain, and the exchanges' addresses."""
    if not Chain.objects.filter(enabled=True).exists():
        remedy = "Start 'manage.py up' once." if env.is_sandbox else "Run 'manage.py chains load'."
        yield warning("chains", "chains", "none is configured", remedy=remedy)
        return
    yield from _without_endpoint(env)
    if env.is_sandbox and running_instance(env.data_dir) is None:
        yield good("chains", "endpoints", "not asked: the sandbox's chains run while 'manage.py up' runs")
    else:
        yield from _endpoints()
        yield from _relays()
        yield from relay_exits(env)
    yield from _exchanges(env)
    yield from _lockers()
    yield from _opinions(env)


def _without_endpoint(env: Environment) -> Iterator[Check]:
    readable = set(readable_chains().values_list("key", flat=True))
    silent = Chain.objects.filter(enabled=True).exclude(key__in=readable).order_by("id")
    held = set(followed_chain_keys()) - readable
    for chain in silent.filter(key__in=held):
        yield fault(
            "chains",
            chain.name,
            "has no endpoint, but positions or orders of ours",
            remedy="Add an endpoint in the admin under Endpoints at once: nothing of it can be sold without.",
        )
    others = [chain.name for chain in silent.exclude(key__in=held)]
    if others and not readable:
        yield fault(
            "chains",
            "endpoints",
            "no chain has one: nothing is followed",
            remedy="Start 'manage.py up' once."
            if env.is_sandbox
            else "Add an endpoint (the address of a node or provider) in the admin under Endpoints.",
        )
    elif others:
        yield good("chains", "not followed", f"{', '.join(others)}: no endpoint")


def _endpoints() -> Iterator[Check]:
    """Ask all endpoints at once; the slowest one alone decides how long it takes."""
    rows = list(Endpoint.objects.filter(enabled=True, chain__enabled=True).select_related("chain"))
    with ThreadPoolExecutor(_PROBES_AT_ONCE, thread_name_prefix="probe") as pool:
        for row, outcome in zip(rows, pool.map(_ask, [row.pk for row in rows]), strict=True):
            yield _endpoint(row.chain, outcome)
    yield from _lacking(rows)


def _ask(endpoint_id: int) -> EndpointReport | SniperError:
    try:
        return endpoint_check(endpoint_id=endpoint_id)
    except SniperError as error:
        return error
    finally:
        connections.close_all()  # of this thread


def _endpoint(chain: Chain, outcome: EndpointReport | SniperError) -> Check:
    if isinstance(outcome, SniperError):
        return fault(
            "chains", chain.name, str(outcome), remedy=outcome.remedy or "Mend its row in the admin."
        )
    name = f"{chain.name} {outcome.label}"
    if outcome.fault:
        remedy = outcome.remedy or "Correct or switch off this endpoint in the admin under Endpoints."
        return fault("chains", name, outcome.fault, remedy=remedy)
    assert outcome.head is not None
    assert outcome.head_age_ms is not None
    if outcome.head_age_ms > HEAD_AGE_MAX_S * _MS:
        return fault(
            "chains",
            name,
            f"its newest block {outcome.head.number} is {outcome.head_age_ms // _MS} s old",
            remedy="The node is still syncing or stuck, or this machine's clock is wrong; use another endpoint until then.",
        )
    detail = f"block {outcome.head.number}, answers in {outcome.latency_ms} ms"
    if outcome.notes:
        return warning(
            "chains", name, f"{detail}; {' '.join(outcome.notes)}", remedy="Correct its WebSocket address."
        )
    return good("chains", name, detail)


def _lacking(rows: Sequence[Endpoint]) -> Iterator[Check]:
    """Check that each chain has what the road cannot do without, at whichever endpoint."""
    for chain in {row.chain_id: row.chain for row in rows}.values():
        known = [row.capabilities for row in Endpoint.objects.filter(chain=chain, enabled=True, fault="")]
        if not known:
            continue
        for names, what in (
            (("logs",), "serves eth_getLogs: new pairs are not found"),
            (("state_override", "simulate_v1"), "can simulate a sell: no pair will pass"),
        ):
            if not any(found.get(name) for found in known for name in names):
                yield fault(
                    "chains",
                    chain.name,
                    f"none of its endpoints {what}",
                    remedy="Add an endpoint of another provider: many restrict these methods on free plans.",
                )


def _relays() -> Iterator[Check]:
    """Ask the private relays, all at once: an order that only they may have waits for them."""
    rows = list(Relay.objects.filter(enabled=True, chain__enabled=True).select_related("chain"))
    with ThreadPoolExecutor(_PROBES_AT_ONCE, thread_name_prefix="relay") as pool:
        for row, outcome in zip(rows, pool.map(_ask_relay, [row.pk for row in rows]), strict=True):
            name = f"{row.chain.name} relay {row.key}"
            if isinstance(outcome, SniperError):
                yield fault(
                    "chains", name, str(outcome), remedy=outcome.remedy or "Mend its row in the admin."
                )
            elif outcome.fault:
                yield fault("chains", name, outcome.fault, remedy=outcome.remedy)
            else:
                yield good("chains", name, f"{outcome.label} answers in {outcome.latency_ms} ms")


def relay_exits(env: Environment) -> Iterator[Check]:
    """Say what a sale does that no relay gets into a block; in live somebody must have decided."""
    if not Relay.objects.filter(enabled=True, chain__enabled=True).exists():
        return
    active = active_config()
    chosen, leaks = active.config.execution, may_leak(active.config.execution, side="sell")
    told = (
        f"go to the public pool after {chosen.relay_blocks_max} blocks"
        if leaks
        else f"are given up after {chosen.relay_blocks_max} blocks and decided anew; they never go to the public pool"
    )
    if leaks or env.relay_exits or active.revision > 1 or env.mode != "live":
        yield good("chains", "sales left out by relays", told)
        return
    yield warning(
        "chains",
        "sales left out by relays",
        f"{told}; nobody has decided that",
        remedy="Set DEXSNIPER_RELAY_EXITS to stay or leak before the first start, or execution.relay_leak_exits on the"
        " Configuration page.",
    )


def _ask_relay(relay_id: int) -> RelayReport | SniperError:
    try:
        return relay_check(relay_id=relay_id)
    except SniperError as error:
        return error
    finally:
        connections.close_all()  # of this thread


def _exchanges(env: Environment) -> Iterator[Check]:
    rows = DexDeployment.objects.filter(enabled=True, confirmed=False, chain__enabled=True)
    report = fault if env.mode == "live" else warning
    for dex in rows.select_related("chain"):
        yield report(
            "chains",
            str(dex),
            "its addresses are not confirmed",
            remedy="Compare factory and router with two independent sources, then tick 'confirmed' in the admin.",
        )


def _lockers() -> Iterator[Check]:
    """Check that the lockers of chains that are followed were looked at; what lies elsewhere counts as unknown."""
    rows = Locker.objects.filter(confirmed=False, chain__in=readable_chains())
    names = [str(row) for row in rows.select_related("chain").order_by("id")]
    if names:
        yield warning(
            "chains",
            "lockers",
            f"liquidity there counts as unknown, their code was not verified: {', '.join(names)}",
            remedy="Run 'manage.py chains verify'; it reads their code on chain.",
        )


def _opinions(env: Environment) -> Iterator[Check]:
    """Check that each outside service that is named knows a followed chain, and that it answered lately."""
    sources = opinion_sources(env)
    if not sources:
        yield good("chains", "outside services", "none is asked about tokens")
        return
    keys = list(readable_chains().values_list("key", flat=True))
    since = timezone.now() - _OPINIONS_LATELY
    for name, source in sources.items():
        asked = OutsideOpinion.objects.filter(source=name, asked_at__gte=since)
        newest = asked.exclude(failure="").order_by("-asked_at").first()
        if not any(map(source.covers, keys)):
            detail, remedy = "knows no chain that is followed", "Take it out of DEXSNIPER_OPINION_SOURCES."
        elif newest is not None and not asked.filter(failure="").exists():
            detail = f"judged no token within the hour: {newest.failure}"
            remedy = (
                "Look at the network and its address; until it answers, set the gate outside_danger to warn."
            )
        else:
            yield good("chains", f"outside service {source.name}", f"{asked.count()} tokens within the hour")
            continue
        yield warning("chains", f"outside service {source.name}", detail, remedy=remedy)
