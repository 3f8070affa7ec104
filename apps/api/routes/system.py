"""Incidents, breakers and wallets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Annotated, Literal

from django.db.models import Q
from django.http import Http404, HttpRequest
from django.utils import timezone
from ninja import Path, Query, Router

from apps.api.authentication import caller_of
from apps.api.operations import acts, reads
from apps.api.paging import ID_MAX, LIMIT_DEFAULT, Cursor, Limit, page_of
from apps.api.schemas import system as s
from apps.api.schemas.base import Done, Page, plain, usd, usd_of
from apps.chains.labels import chain_label, chain_labels
from apps.discovery.models import Token
from apps.domain.config import Effect, TradingConfig
from apps.domain.errors import TransitionRefusedError
from apps.domain.ids import NATIVE_ADDRESS
from apps.risk.models import Breaker
from apps.risk.services.breakers import breaker_reset, breakers_in_force
from apps.state import permissions as p
from apps.state.models import Incident
from apps.state.services.config import active_config
from apps.state.services.incidents import incident_resolve
from apps.trading.logic.ledger import wallet_account
from apps.trading.models import AccountBalance
from apps.wallets.selectors import wallet_views
from apps.wallets.services.spends import spent_today

router = Router(tags=["system"])
Id = Annotated[int, Path(ge=1, le=ID_MAX)]
BALANCES_MAX = 2_000


# -- incidents ----------------------------------------------------------------------------
@reads(router, "/incidents", permission=p.LOOK_INCIDENTS, answers=Page[s.IncidentOut])
def incidents_list(
    request: HttpRequest,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = "",
    state: Annotated[Literal["open", "resolved", "any"], Query()] = "open",
    severity: Annotated[Literal["info", "warning", "critical"] | None, Query()] = None,
    category: Annotated[Literal["network", "trading", "system", "data"] | None, Query()] = None,
) -> Page[s.IncidentOut]:
    """List incidents, newest first."""
    rows = Incident.objects.all()
    if state != "any":
        rows = rows.filter(resolved_at__isnull=state == "open")
    if severity is not None:
        rows = rows.filter(severity=severity)
    if category is not None:
        rows = rows.filter(category=category)
    return page_of(rows, limit=limit, cursor=cursor, make=lambda found: map(_incident, found))


@reads(router, "/incidents/{incident_id}", permission=p.LOOK_INCIDENTS, answers=s.IncidentOut)
def incident_detail(request: HttpRequest, incident_id: Id) -> s.IncidentOut:
    """Return one incident."""
    return _incident(_incident_row(incident_id))


def _incident_row(incident_id: int) -> Incident:
    row = Incident.objects.filter(pk=incident_id).first()
    if row is None:
        raise Http404
    return row


def _incident(row: Incident) -> s.IncidentOut:
    return s.IncidentOut(
        id=row.pk,
        code=row.code,
        category=row.category,
        recovery=row.recovery,
        severity=row.severity,
        title=row.title,
        detail=row.detail,
        remedy=row.remedy,
        context=plain(row.context),
        trace_id=row.trace_id,
        count=row.count,
        first_at=row.first_at,
        last_at=row.last_at,
        resolved_at=row.resolved_at,
        resolved_by=row.resolved_by,
    )


@acts(router, "/incidents/{incident_id}/resolve", permission=p.RESOLVE_INCIDENTS, answers=Done)
def incident_resolve_one(request: HttpRequest, incident_id: Id, body: s.ReasonBody) -> Done:
    """Resolve an incident, and say what was found and mended."""
    row = _incident_row(incident_id)
    by = caller_of(request).get_username()
    if row.resolved_at is not None or not incident_resolve(
        dedup_key=row.dedup_key, by=by, reason=body.reason
    ):
        raise TransitionRefusedError(
            f"Incident {incident_id} is resolved already.", remedy="There is nothing to do."
        )
    return Done(message=f"Incident {incident_id} is resolved.")


# -- breakers -----------------------------------------------------------------------------
@reads(router, "/breakers", permission=p.LOOK, answers=s.BreakersOut)
def breakers_list(request: HttpRequest) -> s.BreakersOut:
    """List all circuit breakers, with what they hold back now."""
    return s.BreakersOut(breakers=list(_breakers(active_config().config)))


def _breakers(config: TradingConfig) -> Iterator[s.BreakerOut]:
    tripped = {(item.name, item.chain_key): item for item in breakers_in_force()}
    stored: dict[str, list[Breaker | None]] = defaultdict(list)
    for row in Breaker.objects.order_by("name", "chain_key"):
        stored[row.name].append(row)
    for name, effect in config.breakers:
        if not isinstance(effect, Effect):
            continue
        for known in stored.get(name) or [None]:
            view = None if known is None else tripped.get((name, known.chain_key))
            yield s.BreakerOut(
                name=name,
                chain_key="" if known is None else known.chain_key,
                setting=effect.word,
                is_tripped=view is not None,
                effect="" if view is None else view.effect.word,
                explanation="" if known is None else known.explanation,
                detail="" if known is None else known.detail,
                tripped_at=None if known is None else known.tripped_at,
                left_s=None if view is None else view.left_s,
                trips=0 if known is None else known.trips,
            )


@acts(router, "/breakers/{name}/reset", permission=p.RESET_BREAKERS, answers=Done)
def breaker_reset_one(
    request: HttpRequest, name: Annotated[str, Path(pattern=r"^[a-z_]{1,24}$")], body: s.BreakerResetBody
) -> Done:
    """Arm a tripped breaker before its time, for a reason."""
    by = caller_of(request).get_username()
    if not breaker_reset(name=name, chain_key=body.chain_key, by=by, reason=body.reason):
        raise TransitionRefusedError(
            "This breaker is not tripped.", remedy="Read /api/v1/breakers; there may be nothing to do."
        )
    return Done(message="The breaker is armed again; it trips again if its cause still stands.")


# -- wallets ------------------------------------------------------------------------------
@reads(router, "/wallets", permission=p.LOOK_WALLETS, answers=s.WalletsOut)
def wallets_list(request: HttpRequest) -> s.WalletsOut:
    """List the wallets: addresses and balances by the book. Keys are nowhere in this API."""
    now, balances = timezone.now(), _balances()
    return s.WalletsOut(
        wallets=[
            s.WalletOut(
                key=item.key,
                family=item.family,
                address=item.address,
                chain_key=item.chain_key,
                is_sandbox=item.is_sandbox,
                is_live=item.is_live,
                enabled=item.enabled,
                is_locked=item.is_locked,
                may_enter=item.may_enter,
                daily_spend_max_usd=usd(item.daily_spend_max_usd_micros),
                spent_today_usd=usd_of(spent_today(wallet_key=item.key, now=now)),
                balances=balances.get(wallet_account(item.key), []),
            )
            for item in wallet_views()
        ]
    )


def _balances() -> dict[str, list[s.BalanceOut]]:
    rows = list(
        AccountBalance.objects.filter(~Q(balance_raw=0)).order_by("account", "chain_key", "token_address")[
            :BALANCES_MAX
        ]
    )
    labels = chain_labels()
    tokens = {
        (chain_key, address): (symbol, decimals)
        for chain_key, address, symbol, decimals in Token.objects.filter(
            address__in={row.token_address for row in rows}
        ).values_list("chain_key", "address", "symbol", "decimals")
    }
    found: dict[str, list[s.BalanceOut]] = defaultdict(list)
    for row in rows:
        label = chain_label(labels, row.chain_key)
        coin: tuple[str, int | None] = (label.native_symbol, label.native_decimals)
        is_coin = row.token_address == NATIVE_ADDRESS
        symbol, decimals = coin if is_coin else tokens.get((row.chain_key, row.token_address), ("", None))
        found[row.account].append(
            s.BalanceOut(
                chain_key=row.chain_key,
                token_address=row.token_address,
                symbol=symbol,
                decimals=decimals,
                balance_raw=-row.balance_raw if row.is_negative else row.balance_raw,
            )
        )
    return found
