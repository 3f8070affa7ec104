"""What is worth telling: pure rules over what was read. A fact that could not be read is not judged, so it ends nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from statistics import median
from typing import Literal

from apps.domain.config import Alerts
from apps.domain.money import BPS_ONE

Severity = Literal["info", "warning", "critical"]
#: Fewer hours with trades than this make no usual volume.
VOLUME_HOURS_MIN = 6
_MICROS = 1_000_000
_CLAUSE_ENDS, _CLAUSE_MIN = re.compile(r": | \(|; |, "), 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """Something that stands now, or has just happened. ``key`` names it over time."""

    rule: str
    key: str
    severity: Severity
    title: str
    text: str = ""
    remedy: str = ""
    subject: str = ""
    trace_id: str = ""
    is_lasting: bool = True
    at_ms: int | None = None  # when it happened; None: it stands now


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineFact:
    """How the engine stands."""

    is_stopped: bool  # by the kill switch
    is_closing: bool
    reason: str
    by: str
    epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentFact:
    """An open critical incident."""

    number: int
    key: str
    code: str
    title: str
    detail: str
    remedy: str
    trace_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceFact:
    """Something that should speak again and again. ``allowed_s``: what it may be silent for by its own nature."""

    name: str
    words: str
    silent_s: int
    allowed_s: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WebFact:
    """How long our web server took to answer; None: it did not."""

    answered_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionFact:
    """Transactions of ours that ended within the last hour."""

    ended: int
    filled: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EquityFact:
    """The worth of everything, in micro dollars: its height within the window, and now."""

    high_usd_micros: int
    now_usd_micros: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GasFact:
    """What a wallet has of a chain's own coin. None: there is no fresh price."""

    chain_key: str
    chain: str
    wallet_key: str
    symbol: str
    worth_usd_micros: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeFact:
    """What we traded in the last hour, and in each earlier hour of seven days in which we traded."""

    hour_usd_micros: int
    earlier_usd_micros: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """A line of the event log that a person may want to know."""

    rule: Literal["regime", "whale", "coordination"]
    position: int
    summary: str
    subject: str
    trace_id: str
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What was read. None: it was not read this time, or could not be."""

    engine: EngineFact | None = None
    incidents: tuple[IncidentFact, ...] | None = None
    sockets: tuple[SilenceFact, ...] | None = None
    web: WebFact | None = None
    execution: ExecutionFact | None = None
    equity: EquityFact | None = None
    gas: tuple[GasFact, ...] | None = None
    volume: VolumeFact | None = None
    feeds: tuple[SilenceFact, ...] | None = None
    happenings: tuple[Happening, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What stands or happened. Of the ``judged`` rules everything that is not among the signals is over."""

    signals: tuple[Signal, ...]
    judged: frozenset[str]


def judge(facts: Facts, config: Alerts) -> Judgement:
    """Return what is worth telling. A rule that is switched off is judged to have nothing."""
    signals: list[Signal] = []
    judged: set[str] = set()
    for rule, (read, look) in _LOOKS.items():
        if read(facts) is not None:
            judged.add(rule)
            signals += look(facts, config)
    signals += _happened(facts, config)
    return Judgement(signals=tuple(signals), judged=frozenset(judged))


def _emergency(facts: Facts, config: Alerts) -> Iterator[Signal]:
    engine = facts.engine
    if engine is None or not config.emergency_stop or not (engine.is_stopped or engine.is_closing):
        return
    what = "nothing is signed or sent" if engine.is_stopped else "everything is sold, nothing is bought"
    yield Signal(
        rule="emergency_stop",
        key=f"emergency_stop/{engine.epoch}",
        severity="critical",
        title=f"Kill switch pulled: {what}",
        text=f"By {engine.by}. {engine.reason}".strip(),
        remedy="Find out why; then resume on the overview page or with 'manage.py killswitch resume'.",
        subject="engine",
    )


def _incidents(facts: Facts, config: Alerts) -> Iterator[Signal]:
    for item in (facts.incidents or ()) if config.critical_incidents else ():
        yield Signal(
            rule="incident",
            key=f"incident/{item.key}"[:200],
            severity="critical",
            title=item.title,
            text=item.detail,
            remedy=item.remedy,
            subject=f"incident:{item.number}",
            trace_id=item.trace_id,
        )


def _silent(
    rule: str, facts: tuple[SilenceFact, ...], limit_s: int | None, *, remedy: str, severity: Severity
) -> Iterator[Signal]:
    for item in facts if limit_s is not None else ():
        limit = max(limit_s or 0, item.allowed_s)
        if item.silent_s > limit:
            yield Signal(
                rule=rule,
                key=f"{rule}/{item.name}",
                severity=severity,
                title=f"{item.words} for more than {limit} s",
                text=f"Silent for {item.silent_s} s when it was noticed.",
                remedy=remedy,
            )


def _sockets(facts: Facts, config: Alerts) -> Iterator[Signal]:
    yield from _silent(
        "socket",
        facts.sockets or (),
        config.socket_down_max_s,
        severity="critical",
        remedy="It reconnects by itself. If it lasts: look at the chain's endpoints in the admin and run 'manage.py doctor'.",
    )


def _feeds(facts: Facts, config: Alerts) -> Iterator[Signal]:
    yield from _silent(
        "feed",
        facts.feeds or (),
        config.feed_stale_max_s,
        severity="warning",
        remedy="It is read again by itself; the chains are followed without it. The Incidents page says what it answers.",
    )


def _api(facts: Facts, config: Alerts) -> Iterator[Signal]:
    if facts.web is None or config.api_slow_max_ms is None:
        return
    answered, limit = facts.web.answered_ms, config.api_slow_max_ms
    if answered is not None and answered <= limit:
        return
    yield Signal(
        rule="api",
        key="api/web",
        severity="warning",
        title=f"The web server does not answer within {limit} ms",
        text="It does not answer at all." if answered is None else f"It took {answered} ms.",
        remedy="Trading goes on without it. It is started again by itself when it ends; 'manage.py doctor' tells more.",
    )


def _execution(facts: Facts, config: Alerts) -> Iterator[Signal]:
    fact, least = facts.execution, config.execution_success_min_bps
    if fact is None or least is None or fact.ended < config.execution_orders_min:
        return
    share = fact.filled * BPS_ONE // fact.ended
    if share < least:
        yield Signal(
            rule="execution",
            key="execution",
            severity="warning",
            title=f"Only {_percent(share)} of the last hour's transactions filled",
            text=f"{fact.filled} of {fact.ended}; at least {_percent(least)} are expected.",
            remedy="The orders page says why each failed. The breakers pause entries by themselves when it gets worse.",
        )


def _drawdown(facts: Facts, config: Alerts) -> Iterator[Signal]:
    fact, most = facts.equity, config.drawdown_max_bps
    if fact is None or most is None or fact.high_usd_micros <= 0:
        return
    fallen = (fact.high_usd_micros - fact.now_usd_micros) * BPS_ONE // fact.high_usd_micros
    if fallen >= most:
        yield Signal(
            rule="drawdown",
            key="drawdown",
            severity="critical",
            title=f"The worth of everything has fallen by {_percent(fallen)}",
            text=f"From {_usd(fact.high_usd_micros)} to {_usd(fact.now_usd_micros)} within"
            f" {config.drawdown_window_s // 3_600} h; the limit is {_percent(most)}.",
            remedy="Pause entries if you do not know why. The positions page shows what each position lost.",
        )


def _gas(facts: Facts, config: Alerts) -> Iterator[Signal]:
    least = config.gas_balance_min_usd
    for item in (facts.gas or ()) if least is not None else ():
        worth = item.worth_usd_micros
        if worth is not None and least is not None and Decimal(worth) / _MICROS < least:
            yield Signal(
                rule="gas",
                key=f"gas/{item.chain_key}/{item.wallet_key}",
                severity="warning",
                title=f"Wallet {item.wallet_key} has little {item.symbol} left on {item.chain}",
                text=f"It is worth {_usd(worth)}; at least ${least} are wanted. Sales need gas too.",
                remedy=f"Send {item.symbol} to the wallet.",
            )


def _volume(facts: Facts, config: Alerts) -> Iterator[Signal]:
    fact, times = facts.volume, config.volume_unusual_times
    if fact is None or times is None or len(fact.earlier_usd_micros) < VOLUME_HOURS_MIN:
        return
    usual = int(median(fact.earlier_usd_micros))
    if (
        fact.hour_usd_micros > usual * times
        and Decimal(fact.hour_usd_micros) / _MICROS >= config.volume_min_usd
    ):
        yield Signal(
            rule="volume",
            key="volume",
            severity="warning",
            title=f"Unusual volume: {_usd(fact.hour_usd_micros)} traded within an hour",
            text=f"The median hour of the last seven days with trades is {_usd(usual)}.",
            remedy="Look at what was traded; pause entries if it is not what you want.",
        )


_SWITCHES: dict[str, Callable[[Alerts], bool]] = {
    "regime": lambda config: config.regime_change,
    "whale": lambda config: config.whales,
    "coordination": lambda config: config.coordination,
}
_TITLES = {"regime": "Market regime", "whale": "Large holders", "coordination": "Buyers in concert"}


def _happened(facts: Facts, config: Alerts) -> Iterator[Signal]:
    for item in facts.happenings or ():
        if _SWITCHES[item.rule](config):
            yield Signal(
                rule=item.rule,
                key=f"{item.rule}/{item.subject}",
                severity="info",
                title=f"{_TITLES[item.rule]}: {_beginning(item.summary)}",
                text=item.summary,
                subject=item.subject,
                trace_id=item.trace_id,
                is_lasting=False,
                at_ms=item.at_ms,
            )


def _beginning(summary: str) -> str:
    """Return the first clause that says something: a name or a mark alone does not."""
    length = 0
    for found in _CLAUSE_ENDS.finditer(summary):
        length = found.start()
        if length >= _CLAUSE_MIN:
            return summary[:length]
    return summary


_Look = Callable[[Facts, Alerts], Iterator[Signal]]
_Read = Callable[[Facts], object]
_LOOKS: dict[str, tuple[_Read, _Look]] = {
    "emergency_stop": (lambda facts: facts.engine, _emergency),
    "incident": (lambda facts: facts.incidents, _incidents),
    "socket": (lambda facts: facts.sockets, _sockets),
    "api": (lambda facts: facts.web, _api),
    "execution": (lambda facts: facts.execution, _execution),
    "drawdown": (lambda facts: facts.equity, _drawdown),
    "gas": (lambda facts: facts.gas, _gas),
    "volume": (lambda facts: facts.volume, _volume),
    "feed": (lambda facts: facts.feeds, _feeds),
}


def _percent(bps: int) -> str:
    return f"{bps // 100}.{bps % 100:02d} %"


def _usd(micros: int) -> str:
    return f"${Decimal(micros) / _MICROS:,.2f}"
