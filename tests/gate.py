"""Run the tests stage by stage, as ``make test`` does: ``python -m tests.gate [stage ...] [-- pytest arguments]``.

Fast tests come first and share the cores; tests with a local chain or a browser run one at a time. Whatever
touches the database then runs again on PostgreSQL. Every stage runs, also after a failed one.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from xml.etree import ElementTree as ET

from tests import programs
from tests.postgres import throwaway_cluster

NO_TESTS_COLLECTED = 5
STOP_LIMIT_S = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A group of tests that run in one pytest process."""

    name: str
    select: str  # pytest's -m expression
    options: tuple[str, ...] = ()
    on_postgres: bool = False


STAGES = (
    Stage(
        name="fast",
        select="not chain and not browser and not postgres",
        options=("-n", "2", "--dist", "loadgroup"),
    ),
    Stage(name="chain", select="chain and not browser and not postgres"),
    Stage(name="browser", select="browser and not postgres"),
    Stage(
        name="postgres",
        select="(database or postgres) and not browser and not sqlite",
        options=("-n", "2", "--dist", "loadgroup"),
        on_postgres=True,
    ),
)


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What a stage came to."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    broken: str = ""  # why the stage counts as failed beyond its tests
    note: str = ""
    seconds: float = 0


def main(arguments: list[str]) -> int:
    """Run the named stages, all of them when none is named, and return the exit code."""
    names, extra = _split(arguments)
    unknown = set(names) - {stage.name for stage in STAGES}
    if unknown:
        print(f"gate: unknown stage: {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, _exit_in_order)
    stages = [stage for stage in STAGES if not names or stage.name in names]
    try:
        outcomes = {stage.name: _run(stage, extra) for stage in stages}
    except KeyboardInterrupt:
        print("gate: interrupted", file=sys.stderr)
        return 130
    return _report(outcomes)


def _split(arguments: list[str]) -> tuple[list[str], list[str]]:
    if "--" not in arguments:
        return arguments, []
    cut = arguments.index("--")
    return arguments[:cut], arguments[cut + 1 :]


def _exit_in_order(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(143)


def _run(stage: Stage, extra: list[str]) -> Outcome:
    started = time.monotonic()
    print(f"\n=== stage {stage.name} ===", flush=True)
    with contextlib.ExitStack() as stack:
        environment = {**os.environ}
        if stage.on_postgres:
            binaries = programs.find_postgres()
            if binaries is None:
                print(f"SKIPPED: {programs.POSTGRES_MISSING}")
                missing = programs.POSTGRES_MISSING if _is_ci() else ""
                return Outcome(broken=missing, note="skipped: no PostgreSQL")
            environment["DEXSNIPER_TEST_DATABASE_URL"] = stack.enter_context(throwaway_cluster(binaries))
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="dexsniper-test-")))
        environment |= {"DEXSNIPER_TEST_ROOT": str(scratch), "DEXSNIPER_TEST_RUN": str(os.getpid())}
        results = scratch / "results.xml"
        command = [sys.executable, "-m", "pytest", "-m", stage.select, *stage.options]
        code = _wait_for([*command, f"--junitxml={results}", *extra], environment)
        outcome = _read(results)
    outcome.seconds = time.monotonic() - started
    if code not in (0, NO_TESTS_COLLECTED) and not outcome.failed:
        outcome.broken = f"pytest ended with code {code}"
    return outcome


def _wait_for(command: list[str], environment: dict[str, str]) -> int:
    """Return pytest's exit code; when we are told to stop, let it end its tests' processes first."""
    with subprocess.Popen(command, cwd=programs.ROOT, env=environment) as process:
        try:
            return process.wait()
        except BaseException:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(STOP_LIMIT_S)
            except subprocess.TimeoutExpired:
                process.kill()
            raise


def _read(results: Path) -> Outcome:
    if not results.is_file():
        return Outcome()
    outcome = Outcome()
    for suite in ET.parse(results).getroot().iter("testsuite"):
        total, skipped = int(suite.get("tests", 0)), int(suite.get("skipped", 0))
        failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        outcome.failed += failed
        outcome.skipped += skipped
        outcome.passed += max(total - failed - skipped, 0)
    return outcome


def _report(outcomes: dict[str, Outcome]) -> int:
    print("\n=== all stages ===")
    for name, outcome in outcomes.items():
        note = outcome.broken or outcome.note
        counts = f"{outcome.passed} passed, {outcome.failed} failed, {outcome.skipped} skipped"
        print(f"  {name:<9} {counts} in {outcome.seconds:.0f} s{' - ' + note if note else ''}")
    passed, failed, skipped = (
        sum(getattr(outcome, field) for outcome in outcomes.values())
        for field in ("passed", "failed", "skipped")
    )
    broken = any(outcome.broken for outcome in outcomes.values())
    if not passed and not failed:
        print("gate: no test ran", file=sys.stderr)
        return 1
    print(f"gate: {passed} passed, {failed} failed, {skipped} skipped", flush=True)
    return 1 if failed or broken else 0


def _is_ci() -> bool:
    return os.environ.get("DEXSNIPER_CI") == "1"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
