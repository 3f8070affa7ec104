"""The long figures of the project: how each is measured, what it aims at, and where in its report it stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

#: Longest that a measurement may take, unless it says otherwise; then it counts as not measured.
TIME_MAX_S = 420


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """One figure of a measurement: ``path`` is its place in the report, ``most`` or ``least`` what it aims at; neither: it
    is told without an aim.
    """

    name: str
    path: str
    unit: str = ""
    most: float | None = None
    least: float | None = None

    def wanted(self) -> str:
        """Return the aim for people."""
        if self.most is not None:
            return f"{'≤ ' if self.most else ''}{self.most:g}{self._unit()}"
        return "" if self.least is None else f"≥ {self.least:g}{self._unit()}"

    def told(self, value: Any) -> str:
        """Return a measured value for people."""
        if value is None:
            return "not measured"
        if isinstance(value, bool):
            return "yes" if value else "no"
        return f"{value:g}{self._unit()}" if isinstance(value, int | float) else str(value)

    def met(self, value: Any) -> bool | None:
        """Tell whether the aim is met; None where there is none. What was not measured is not met."""
        if self.most is None and self.least is None:
            return None
        if not isinstance(value, int | float):
            return False
        return (self.most is None or value <= self.most) and (self.least is None or value >= self.least)

    def _unit(self) -> str:
        return f" {self.unit}" if self.unit else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """One command with what its report has to show. ``quick``: its short form; empty: it is left out of a quick run."""

    key: str
    command: tuple[str, ...]
    aims: tuple[Aim, ...]
    quick: tuple[str, ...] = ()
    time_max_s: int = TIME_MAX_S


def _bench(subject: str, *aims: Aim, is_quick: bool = True, time_max_s: int = TIME_MAX_S) -> Proof:
    command = ("bench", subject, "--json")
    return Proof(
        key=f"bench-{subject}",
        command=command,
        quick=command if is_quick else (),
        aims=aims,
        time_max_s=time_max_s,
    )


PROOFS: tuple[Proof, ...] = (
    Proof(
        key="demo",
        command=("demo", "--seconds", "120", "--json"),
        quick=("demo", "--seconds", "30", "--json"),
        aims=(
            Aim(name="pairs created on chain", path="pairs_created"),
            Aim(name="of them registered", path="pairs_registered"),
            Aim(name="pairs registered twice", path="pairs_registered_twice", most=0),
            Aim(name="mined → registered, p95", path="latency_ms.registered.p95", unit="ms", most=250),
            Aim(name="registered → verdict, p95", path="latency_ms.verdict.p95", unit="ms", most=500),
            Aim(name="decision → broadcast, p95", path="latency_ms.broadcast.p95", unit="ms", most=250),
            Aim(name="unsellable tokens bought", path="unsellable_bought", most=0),
            Aim(name="orders sent twice", path="double_sends", most=0),
            Aim(name="journal balances", path="ledger_balanced", least=1),
            Aim(name="books equal the chains", path="book_equals_chain", least=1),
            Aim(name="positions closed", path="closed", least=10),
        ),
    ),
    _bench(
        "quotes",
        Aim(name="V2 quote", path="figures.v2_us", unit="µs", most=0.4),
        Aim(name="V3 quote within one range", path="figures.v3_one_range_us", unit="µs", most=5),
    ),
    _bench(
        "execute",
        Aim(
            name="order → broadcast, one chain warm, p95",
            path="figures.decision_to_broadcast_ms.p95",
            unit="ms",
            most=25,
        ),
        Aim(
            name="the same, all chains busy, p95",
            path="figures.decision_to_broadcast_busy_ms.p95",
            unit="ms",
            most=60,
        ),
        Aim(name="mined → booked, p95", path="figures.mined_to_booked_ms.p95", unit="ms", most=150),
    ),
    _bench(
        "fanout",
        Aim(name="100 at once: all ordered", path="figures.at_once.all_ordered_s", unit="s", most=15),
        Aim(name="100 at once: ordered", path="figures.at_once.ordered", least=100),
        Aim(name="1,000 queued: lost", path="figures.queued.lost", most=0),
        Aim(name="1,000 queued: all decided", path="figures.queued.all_decided_s", unit="s"),
        Aim(name="entries sent twice", path="figures.double_sends", most=0),
        is_quick=False,
        time_max_s=960,
    ),
    _bench(
        "hops",
        Aim(
            name="decision → broadcast over broker and processes, p50",
            path="figures.decided_to_sent_ms.p50",
            unit="ms",
        ),
        Aim(name="the same, p95", path="figures.decided_to_sent_ms.p95", unit="ms"),
    ),
    _bench("evaluate", Aim(name="all at once decided", path="figures.all_decided_s", unit="s", most=10)),
    _bench(
        "analyse",
        Aim(name="analysis of one pair, p95", path="figures.analysis_ms.p95", unit="ms", most=100),
        Aim(name="100 at once", path="figures.all_at_once_s", unit="s", most=10),
    ),
    _bench("discovery", Aim(name="block → queue, p95", path="figures.block_to_queue_ms.p95", unit="ms")),
    _bench(
        "killswitch",
        Aim(name="pull, most", path="figures.pull_ms.max", unit="ms", most=500),
        Aim(name="sent after it returned", path="figures.sent_after_return", most=0),
    ),
    _bench(
        "memory",
        Aim(name="per watched position", path="figures.resident_kib_per_position", unit="KiB", most=2_048),
    ),
    _bench("api", Aim(name="answers at 50 a second, p95", path="figures.answer_ms.p95", unit="ms", most=150)),
    _bench(
        "sockets",
        Aim(name="messages to 200 clients, p95", path="figures.delivery_ms.p95", unit="ms", most=1_000),
    ),
    Proof(
        key="soak-execution",
        command=("soak", "execution", "--seconds", "600", "--json"),
        quick=("soak", "execution", "--seconds", "60", "--json"),
        aims=(
            Aim(name="orders that ended", path="orders_ended"),
            Aim(name="filled, unfiltered", path="unfiltered_bps", unit="bps", least=9_500),
            Aim(
                name="filled, of those whose price stayed",
                path="within_slippage_bps",
                unit="bps",
                least=9_900,
            ),
            Aim(name="orders sent twice", path="double_sends", most=0),
            Aim(name="books equal the chains", path="book_equals_chain", least=1),
        ),
        time_max_s=1_000,
    ),
    Proof(
        key="soak-operations",
        command=("soak", "operations", "--json"),
        quick=("soak", "operations", "--seconds", "60", "--json"),
        aims=(Aim(name="aims of its report met", path="met", least=1),),
        time_max_s=2_400,
    ),
    Proof(
        key="fuzz-api",
        command=("fuzz", "--json"),
        quick=("fuzz", "--examples", "5", "--json"),
        aims=(
            Aim(name="operations of the JSON API", path="operations"),
            Aim(name="requests drawn for each", path="examples_each"),
            Aim(name="5xx, or answers that do not fit the description", path="failures", most=0),
        ),
        time_max_s=3_000,
    ),
    Proof(
        key="honeypots",
        command=("evaluate", "honeypots", "--tokens", "apps/sandbox/contracts/suite/cases", "--json"),
        aims=(
            Aim(name="recall on our own suite", path="recall", least=0.99),
            Aim(name="precision on our own suite", path="precision", least=0.97),
        ),
        time_max_s=2_400,
    ),
)


def value_at(report: Mapping[str, Any], path: str) -> Any:
    """Return what stands at a dotted place of a report; None when nothing does."""
    found: Any = report
    for name in path.split("."):
        if not isinstance(found, Mapping) or name not in found:
            return None
        found = found[name]
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a measurement came to; ``fault`` says why there is no report."""

    proof: Proof
    command: str
    at: str  # ISO date and time, UTC
    load: float  # runnable processes on average of the last minute before it began
    report: Mapping[str, Any]
    fault: str = ""


def table(found: Sequence[Measured], *, machine: str, is_quick: bool) -> str:
    """Return the page. Every aim has its line, met or not, measured or not."""
    lines = [
        "# Proof",
        "",
        "Written by `make prove`" + (" in its short form (`make prove-quick`)" if is_quick else "") + "."
        " Each figure was measured on the machine named here, by the command beside it; nothing is tuned to, and what missed"
        " its aim or was not measured says so. Simulated markets, local chains.",
        "",
        f"Machine: {machine}.",
        "",
        "| measured by | figure | aim | measured | met |",
        "|---|---|---|---|---|",
    ]
    for item in found:
        for aim in item.proof.aims:
            value = value_at(item.report, aim.path)
            met = aim.met(value)
            lines.append(
                f"| `{item.command}` | {aim.name} | {aim.wanted()} | {aim.told(value)} |"
                f" {'' if met is None else 'yes' if met else '**no**'} |"
            )
    lines += ["", "## When, and what else the machine had to do", ""]
    lines += ["| measured by | began (UTC) | load before | fault |", "|---|---|---|---|"]
    lines += [f"| `{item.command}` | {item.at} | {item.load:g} | {item.fault} |" for item in found]
    return "\n".join([*lines, *_exclusions(found)]) + "\n"


def _exclusions(found: Sequence[Measured]) -> list[str]:
    told = [line for item in found for line in item.report.get("exclusions", ())]
    if not told:
        return []
    return [
        "",
        "## Orders left out of the second figure of execution, each with its reason",
        "",
        *(f"* {line}" for line in told),
    ]
