"""Chains: endpoints asked now, all at once, and what their rows lack."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from django.db import connections

from apps.chains.evm.capabilities import EndpointReport
from apps.chains.models import Chain, DexDeployment, Endpoint, Locker
from apps.chains.selectors import readable_chains
from apps.chains.services.endpoints import endpoint_check
from apps.domain.errors import SniperError
from apps.engine.housekeeping import followed_chain_keys
from apps.engine.wiring import HEAD_AGE_MAX_S
from dexsniper.env import Environment
from dexsniper.health.check import Check, fault, good, warning
from dexsniper.supervisor import running_instance

_PROBES_AT_ONCE = 8
_MS = 1_000


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
    yield from _exchanges(env)
    yield from _lockers()


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
