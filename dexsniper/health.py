"""Everything ``manage.py doctor`` looks at. Each check says how it stands and, when it does not, how to mend it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from apps.chains.evm.capabilities import endpoint_probe
from apps.chains.models import DexDeployment, Endpoint
from apps.chains.selectors import chain_profiles, endpoint_configs
from apps.domain.engine import EngineStatus
from apps.domain.errors import SniperError
from apps.state.services.config import active_config
from apps.state.services.engine import engine_view
from apps.state.services.heartbeats import stale_components
from apps.wallets.selectors import wallet_views
from apps.wallets.signing import KeystoreSigner
from dexsniper.env import Environment

Level = Literal["ok", "warning", "fault"]
_DISK_FREE_MIN_BYTES = 500 * 1024 * 1024
_BROKER_TIMEOUT_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing looked at. ``remedy`` is "" when all is well."""

    area: str
    name: str
    level: Level
    detail: str
    remedy: str = ""


def all_checks() -> Iterator[Check]:
    """Yield every check; one that fails by surprise is a fault and the others go on."""
    env: Environment = settings.ENV
    areas: tuple[tuple[str, Callable[[Environment], Iterator[Check]]], ...] = (
        ("environment", _environment),
        ("database", _database),
        ("broker", _broker),
        ("configuration", _configuration),
        ("engine", _engine),
        ("chains", _chains),
        ("wallets", _wallets),
    )
    for area, function in areas:
        try:
            yield from function(env)
        except SniperError as error:
            yield Check(area=area, name="check", level="fault", detail=str(error), remedy=error.remedy)
        except DatabaseError as error:
            yield Check(
                area=area,
                name="check",
                level="fault",
                detail=f"the database refused: {type(error).__name__}",
                remedy="See the database's checks above.",
            )


def _environment(env: Environment) -> Iterator[Check]:
    yield Check(area="environment", name="mode", level="ok", detail=env.mode)
    free = shutil.disk_usage(env.data_dir).free
    level: Level = "ok" if free > _DISK_FREE_MIN_BYTES else "fault"
    remedy = (
        ""
        if level == "ok"
        else f"Free space on the disk of {env.data_dir}: orders must be stored before they are sent."
    )
    yield Check(
        area="environment", name="disk", level=level, detail=f"{free // 2**20} MiB free", remedy=remedy
    )
    writable = os.access(env.data_dir, os.W_OK)
    yield Check(
        area="environment",
        name="data folder",
        level="ok" if writable else "fault",
        detail=str(env.data_dir),
        remedy="" if writable else "Give this user the right to write there.",
    )


def _database(_: Environment) -> Iterator[Check]:
    try:
        connection.ensure_connection()
    except DatabaseError as error:
        yield Check(
            area="database",
            name="connection",
            level="fault",
            detail=str(error).splitlines()[0],
            remedy="Start the database, or correct DEXSNIPER_DATABASE_URL.",
        )
        return
    yield Check(area="database", name="connection", level="ok", detail=connection.vendor)
    executor = MigrationExecutor(connection)
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    yield Check(
        area="database",
        name="migrations",
        level="fault" if waiting else "ok",
        detail=f"{len(waiting)} waiting" if waiting else "up to date",
        remedy="Run 'manage.py migrate', or start with 'manage.py up', which does it." if waiting else "",
    )


def _broker(env: Environment) -> Iterator[Check]:
    client = redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=_BROKER_TIMEOUT_S, socket_connect_timeout=_BROKER_TIMEOUT_S
    )
    try:
        client.ping()
    except redis.RedisError as error:
        remedy = "Check DEXSNIPER_REDIS_URL." if env.redis_url else "It runs while 'manage.py up' runs."
        yield Check(
            area="broker",
            name="answer",
            level="warning",
            detail=f"no answer ({type(error).__name__})",
            remedy=remedy,
        )
        return
    yield Check(
        area="broker", name="answer", level="ok", detail="external" if env.redis_url else "embedded Valkey"
    )


def _configuration(_: Environment) -> Iterator[Check]:
    active = active_config()
    yield Check(area="configuration", name="active", level="ok", detail=f"revision {active.revision}")


def _engine(_: Environment) -> Iterator[Check]:
    view = engine_view()
    stopped = view.status is EngineStatus.EMERGENCY_STOPPED
    yield Check(
        area="engine",
        name="state",
        level="warning" if stopped else "ok",
        detail=f"{view.status.value}, epoch {view.epoch}" + (f": {view.reason}" if view.reason else ""),
        remedy="Look into the reason, then 'manage.py killswitch resume'." if stopped else "",
    )
    for item in stale_components():
        yield Check(
            area="engine",
            name=item.component,
            level="warning",
            detail=f"silent for {item.silent_s} s",
            remedy="'manage.py up' starts it again by itself; look for its lines in the log.",
        )


def _chains(env: Environment) -> Iterator[Check]:
    profiles = chain_profiles()
    if not profiles:
        remedy = "Start 'manage.py up' once." if env.is_sandbox else "Add chains and endpoints in the admin."
        yield Check(area="chains", name="chains", level="warning", detail="none is configured", remedy=remedy)
    for profile in profiles:
        configs = endpoint_configs(profile.chain_key)
        if not configs:
            yield Check(
                area="chains",
                name=profile.name,
                level="fault",
                detail="has no enabled endpoint",
                remedy="Add one in the admin under Endpoints, or switch the chain off.",
            )
        for config in configs:
            assert profile.chain_id is not None
            report = endpoint_probe(config, chain_id=profile.chain_id, genesis_hash=profile.genesis_hash)
            Endpoint.objects.filter(chain__key=profile.chain_key, url_http=config.url_http).update(
                capabilities=dict(report.capabilities), fault=report.fault[:300]
            )
            lacking = sorted(name for name, has in report.capabilities.items() if not has)
            detail = report.fault or f"block {report.head.number if report.head else '?'}" + (
                f", lacks {', '.join(lacking)}" if lacking else ""
            )
            yield Check(
                area="chains",
                name=f"{profile.name} {report.label}",
                level="fault" if report.fault else "ok",
                detail=detail,
                remedy=report.remedy,
            )
    for dex in DexDeployment.objects.filter(enabled=True, confirmed=False).select_related("chain"):
        yield Check(
            area="chains",
            name=str(dex),
            level="warning" if env.mode != "live" else "fault",
            detail="its addresses are not confirmed",
            remedy="Compare factory and router with two independent sources, then tick 'confirmed' in the admin.",
        )


def _wallets(env: Environment) -> Iterator[Check]:
    wallets = wallet_views()
    if not wallets:
        remedy = "Start 'manage.py up' once." if env.is_sandbox else "Run 'manage.py wallet create trader'."
        yield Check(area="wallets", name="wallets", level="warning", detail="there is none", remedy=remedy)
    signer = KeystoreSigner.from_settings(env)
    for wallet in wallets:
        try:
            signer.unlock(wallet.key)
        except SniperError as error:
            yield Check(
                area="wallets", name=wallet.key, level="fault", detail=str(error), remedy=error.remedy
            )
        else:
            yield Check(
                area="wallets", name=wallet.key, level="ok", detail=f"{wallet.address}, its key opens"
            )
        if env.mode == "live" and not wallet.is_live:
            yield Check(
                area="wallets",
                name=wallet.key,
                level="warning",
                detail="is not marked live: nothing is signed with it",
                remedy="Mark it in the admin under Wallets when you mean it.",
            )
