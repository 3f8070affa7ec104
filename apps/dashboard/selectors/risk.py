"""What holds trading back: circuit breakers, limits in force, and what refusing has saved and cost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.core.paginator import Page, Paginator
from django.utils import timezone

from apps.dashboard.asks import Ask
from apps.dashboard.logic.words import BREAKERS, code_words, rule_words
from apps.dashboard.selectors.chains import ChainLabel, chain_label, chain_labels
from apps.dashboard.selectors.overview import period_of
from apps.domain.config import Effect, Gates, TradingConfig
from apps.domain.decision import Adjustment
from apps.domain.errors import SniperError
from apps.domain.estimate import Estimate
from apps.domain.money import BPS_ONE, usd_to_micros
from apps.intelligence.models import AnalysisRecord
from apps.intelligence.selectors import estimates_of
from apps.risk.logic.conditions import REGIME_CODES, Conditions
from apps.risk.logic.explainer import figures_in_words
from apps.risk.logic.limits import limits_in_force
from apps.risk.logic.scoreboard import RuleScore
from apps.risk.models import Breaker, RefusedToken
from apps.risk.selectors import refused_tokens, scoreboard
from apps.risk.services.breakers import breakers_in_force, shrink_in_force
from apps.risk.services.budgets import BudgetView, budget_view, budget_views
from apps.state.services.config import active_config
from apps.trading.models import DecisionRecord

REFUSED_MAX, REFUSED_PER_PAGE = 1_000, 25
ADJUSTED_SHOWN = 5
#: Units of limits. Figures of single orders (coins, tips) follow from limits and prices; their road shows them.
_LIMIT_UNITS = ("_usd", "_bps", "_s")
SCOPES_SHOWN = 8
#: A board's word on a rule needs so many tokens followed to their end.
DECIDED_MIN = 10


# -- breakers -----------------------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerRow:
    """One breaker. ``state`` is "off", "armed", "shrink" or "pause"; the times and words are of its newest trip, if any."""

    name: str
    words: str
    help: str
    state: str
    effect: str  # what it does when it trips
    chain: ChainLabel | None  # None: concerns all chains
    chain_key: str
    explanation: str
    figures: str
    tripped_at: datetime | None
    left_s: int | None  # None: not tripped
    trips: int

    @property
    def is_tripped(self) -> bool:
        """Tell whether it holds something back now."""
        return self.left_s is not None


def breaker_rows(_: Ask) -> dict[str, Any]:
    """Return every breaker of the configuration, the tripped first."""
    now, labels = timezone.now(), chain_labels()
    config = _config()
    tripped = {(item.name, item.chain_key): item for item in breakers_in_force(now=now)}
    stored: dict[str, list[Breaker]] = {}
    for row in Breaker.objects.order_by("name", "chain_key"):
        stored.setdefault(row.name, []).append(row)
    never: list[Breaker | None] = [None]
    rows = [
        _breaker_row(name, row, config=config, left_s=_left_s(tripped, name, row), labels=labels)
        for name in _effect_names(config)
        for row in stored.get(name) or never
    ]
    rows.sort(key=lambda row: not row.is_tripped)
    return {
        "rows": rows,
        "tripped": sum(row.is_tripped for row in rows),
        "cooldown_s": config.breakers.cooldown_s,
        "shrink_bps": config.breakers.shrink_bps,
    }


def breaker_tripped(name: str, chain_key: str) -> BreakerRow | None:
    """Return one tripped breaker, None when it is not tripped."""
    rows: list[BreakerRow] = breaker_rows(Ask(view="risk"))["rows"]
    return next(
        (row for row in rows if row.is_tripped and (row.name, row.chain_key) == (name, chain_key)), None
    )


def _effect_names(config: TradingConfig) -> tuple[str, ...]:
    return tuple(name for name, value in config.breakers if isinstance(value, Effect))


def _left_s(tripped: dict[tuple[str, str], Any], name: str, row: Breaker | None) -> int | None:
    found = None if row is None else tripped.get((name, row.chain_key))
    return None if found is None else found.left_s


def _breaker_row(
    name: str,
    row: Breaker | None,
    *,
    config: TradingConfig,
    left_s: int | None,
    labels: dict[str, ChainLabel],
) -> BreakerRow:
    effect: Effect = getattr(config.breakers, name)
    chain_key = "" if row is None else row.chain_key
    state = "off" if effect is Effect.OFF else "armed"
    if row is not None and left_s is not None:
        state = row.effect
    return BreakerRow(
        name=name,
        words=BREAKERS.get(name) or code_words(name),
        help=type(config.breakers).model_fields[name].description or "",
        state=state,
        effect=effect.word,
        chain=chain_label(labels, chain_key) if chain_key else None,
        chain_key=chain_key,
        explanation="" if row is None else row.explanation,
        figures="" if row is None else figures_in_words(row.detail),
        tripped_at=None if row is None else row.tripped_at,
        left_s=left_s,
        trips=0 if row is None else row.trips,
    )


# -- limits -------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class LimitRow:
    """One limit. Money in millionths of US dollars, else a count; ``now`` is what counts, ``most`` what a person set.

    ``used`` None: there is nothing to use up. ``most`` None: no limit.
    """

    words: str
    path: str
    is_money: bool
    used: int | None
    now: int | None
    most: int | None

    @property
    def is_narrowed(self) -> bool:
        """Tell whether less is allowed now than was set."""
        return self.now is not None and self.most is not None and self.now < self.most


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowing:
    """What narrows the limits of one chain now, step by step."""

    chain: ChainLabel
    changes: tuple[Adjustment, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What is at stake in one chain, deployer or token."""

    kind: str
    name: str
    chain: ChainLabel | None
    view: BudgetView


def limit_rows(_: Ask) -> dict[str, Any]:
    """Return every limit on money with what is used of it, what counts now, and everything that narrows it and why."""
    config, labels = _config(), chain_labels()
    narrowings, configs = [], [config]
    for label in labels.values():
        found = limits_in_force(config, _conditions(label.key, config))
        configs.append(found.config)
        if found.adjustments:
            narrowings.append(Narrowing(chain=label, changes=found.adjustments))
    strictest = min(configs, key=lambda item: (item.limits.position_max_usd, item.limits.exposure_max_usd))
    budget = budget_view()
    return {
        "limits": tuple(_limits(config, strictest, budget)),
        "narrowings": narrowings,
        "scopes": [
            _scope(item, labels) for item in budget_views(limit=SCOPES_SHOWN + 1) if item.scope != "all"
        ][:SCOPES_SHOWN],
        "adjusted": _adjusted(),
    }


def _conditions(chain_key: str, config: TradingConfig) -> Conditions:
    """Return what narrows every entry of a chain: its tripped breakers, and the market as its newest analysis saw it."""
    shrink_bps, names = shrink_in_force(chain_key=chain_key, config=config.breakers)
    return Conditions(regime=_regime(chain_key), shrink_bps=shrink_bps, shrunk_by=names)


def _regime(chain_key: str) -> Estimate | None:
    newest = AnalysisRecord.objects.filter(pair__chain_key=chain_key).order_by("-id").first()
    found = () if newest is None else estimates_of(newest)
    return next((item for item in found if item.code in REGIME_CODES and item.is_known), None)


def _limits(config: TradingConfig, now: TradingConfig, budget: BudgetView) -> Iterator[LimitRow]:
    money = (
        ("One position", "position_max_usd", None),
        ("All positions and orders together", "exposure_max_usd", budget.exposure_usd_micros),
        ("Loss of the day", "daily_loss_max_usd", max(-budget.realised_today_usd_micros, 0)),
        ("Entries of the day", "daily_entries_max_usd", budget.entered_today_usd_micros),
        ("All positions on one chain", "chain_exposure_max_usd", None),
        ("All positions of one deployer", "deployer_exposure_max_usd", None),
        ("All positions in one token", "token_exposure_max_usd", None),
    )
    counts = (
        ("Positions open", "open_positions_max", budget.open_positions),
        ("Positions of one deployer", "deployer_positions_max", None),
        ("Positions in one token", "token_positions_max", None),
    )
    for words, name, used in money:
        yield LimitRow(
            words=words,
            path=f"limits.{name}",
            is_money=True,
            used=used,
            now=_micros(getattr(now.limits, name)),
            most=_micros(getattr(config.limits, name)),
        )
    for words, name, used in counts:
        yield LimitRow(
            words=words,
            path=f"limits.{name}",
            is_money=False,
            used=used,
            now=getattr(now.limits, name),
            most=getattr(config.limits, name),
        )


def _micros(usd: Decimal | None) -> int | None:
    return None if usd is None else usd_to_micros(usd)


def _scope(view: BudgetView, labels: dict[str, ChainLabel]) -> Scope:
    kind, _, rest = view.scope.partition(":")
    chain_key, _, name = rest.partition("/")
    return Scope(kind=kind, name=name, chain=chain_label(labels, chain_key), view=view)


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjusted:
    """A decision that intelligence changed, with each figure before and after."""

    item: DecisionRecord  # with its pair and token
    changes: tuple[Adjustment, ...]


def _adjusted() -> list[Adjusted]:
    """Return the newest entries whose limits were narrowed for their token."""
    rows = (
        DecisionRecord.objects.exclude(adjustments=[])
        .filter(action="enter")
        .select_related("opportunity__pair__base")
        .only("action", "adjustments", "created_at", "trace_id", "opportunity__pair__base__symbol")
        .order_by("-id")[:ADJUSTED_SHOWN]
    )
    found = (Adjusted(item=row, changes=_limit_changes(row.adjustments)) for row in rows)
    return [item for item in found if item.changes]


def _limit_changes(stored: list[dict[str, str]]) -> tuple[Adjustment, ...]:
    return tuple(Adjustment(**item) for item in stored if item["subject"].endswith(_LIMIT_UNITS))


# -- what refusing saves and costs --------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreRow:
    """What one rule has done, with its plain words. ``verdict`` is "pays", "costs", "even" or "unknown"."""

    score: RuleScore
    words: str
    help: str
    gate: str  # its present gate, "" for all rules together
    verdict: str


def board_rows(ask: Ask) -> dict[str, Any]:
    """Return the board of refusals over the chosen period: all together, then each rule."""
    name, since = period_of(ask)
    config = _config()
    rows = [_score_row(score, config) for score in scoreboard(since=since)]
    return {
        "whole": rows[0] if rows else None,
        "rows": rows[1:],
        "period": name,
        "follow_s": config.scoreboard.follow_s,
    }


def _score_row(score: RuleScore, config: TradingConfig) -> ScoreRow:
    gate = getattr(config.gates, score.rule, None)
    field = Gates.model_fields.get(score.rule)
    return ScoreRow(
        score=score,
        words="All refusals" if score.rule == "all" else rule_words(score.rule),
        help="" if field is None else field.description or "",
        gate="" if gate is None else gate.word,
        verdict=_verdict(score),
    )


def _verdict(score: RuleScore) -> str:
    """Return whether a rule pays for itself. What it missed is an upper bound, so "costs" may be unjust, "pays" is not."""
    if score.decided < DECIDED_MIN:
        return "unknown"
    if score.net_usd_micros > 0:
        return "pays"
    return "costs" if score.net_usd_micros < 0 else "even"


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedRow:
    """A refused token and what became of it; ``change_bps`` is the result of the position that was not taken."""

    item: RefusedToken  # with its pair, tokens
    chain: ChainLabel
    rules: tuple[str, ...]
    fate: str
    change_bps: int | None


def refused_rows(ask: Ask) -> dict[str, Any]:
    """Return a page of the newest refused tokens, of one rule or of all."""
    rule, labels = ask.get("code"), chain_labels()
    found = refused_tokens(rule=rule, limit=REFUSED_MAX)
    page: Page[RefusedToken] = Paginator(found, REFUSED_PER_PAGE).get_page(ask.page)
    return {
        "page_obj": page,
        "rows": [_refused_row(item, labels) for item in page.object_list],
        "rule": rule,
        "rule_words": rule_words(rule) if rule else "",
    }


def _refused_row(item: RefusedToken, labels: dict[str, ChainLabel]) -> RefusedRow:
    change = None
    if item.value_raw is not None and item.size_raw:
        change = (item.value_raw - item.size_raw) * BPS_ONE // item.size_raw
    return RefusedRow(
        item=item,
        chain=chain_label(labels, item.chain_key),
        rules=tuple(rule_words(rule) for rule in item.rules),
        fate=_fate(item),
        change_bps=change,
    )


def _fate(item: RefusedToken) -> str:
    if item.died_by:
        return item.died_by
    if item.rose_at is not None:
        return "rose"
    return {"ended": "lived", "passed": "accepted"}.get(item.status, item.status)


def _config() -> TradingConfig:
    """Return the active configuration, the defaults while there is none."""
    try:
        return active_config().config
    except SniperError:
        return TradingConfig()
