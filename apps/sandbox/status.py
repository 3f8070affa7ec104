"""What ``manage.py sandbox status`` and ``reset`` tell and do."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from django.conf import settings

from apps.domain.errors import ConfigurationError
from apps.sandbox.chainspec import CHAINS, ChainSpec, chains_named
from apps.sandbox.logic.parameters import TIME_FACTOR
from apps.sandbox.models import SandboxLaunch, SandboxRun
from apps.sandbox.pace import pace_forget, pace_view

_TRUTHS_SHOWN_MAX = 40


def status_lines(*, with_truth: bool) -> Iterator[str]:
    """Yield the state of each chain and, if asked for, the ground truth about its launches."""
    pace = pace_view()
    yield (
        f"pace {pace.per_second:g} new pairs a second{', paused' if pace.is_paused else ''}; "
        f"one second stands for {TIME_FACTOR} of a real market"
    )
    for spec in chains_named(settings.ENV.sandbox_chains):
        run = SandboxRun.objects.filter(chain_key=spec.key).first()
        state = "answers" if _answers(spec) else "does not run"
        if run is None:
            yield f"{spec.name}: {state}, no market yet"
            continue
        launches = SandboxLaunch.objects.filter(chain_key=spec.key)
        yield (
            f"{spec.name}: {state}, seed {run.seed}, block {run.tick}, {launches.count()} launches, "
            f"genesis {run.genesis_hash}"
        )
        if not with_truth:
            continue
        for kind, count in Counter(launches.values_list("kind", flat=True)).most_common():
            yield f"  {count:>5} {kind}"
        for launch in launches.order_by("-number")[:_TRUTHS_SHOWN_MAX]:
            yield f"  #{launch.number} {launch.token_address} {launch.kind}{_fate(launch)}"


def chains_forget() -> list[Path]:
    """Remove the chains' stored state; return the removed files. Raises ConfigurationError while a chain runs."""
    running = [spec.name for spec in CHAINS if _answers(spec)]
    if running:
        raise ConfigurationError(
            f"Still running: {', '.join(running)}.", remedy="Stop 'manage.py up' first, then reset."
        )
    folder = Path(settings.DATA_DIR) / "chains"
    removed = sorted(folder.glob("*.json"))
    for path in removed:
        path.unlink()
    pace_forget()
    return removed


def _fate(launch: SandboxLaunch) -> str:
    parts = []
    if launch.is_unsellable:
        parts.append("never sellable")
    if launch.unsellable_from_block is not None:
        parts.append(f"not sellable from block {launch.unsellable_from_block}")
    if launch.rugged_block_number is not None:
        parts.append(f"rugged at block {launch.rugged_block_number}")
    return f": {', '.join(parts)}" if parts else ""


def _answers(spec: ChainSpec) -> bool:
    with closing(socket.socket()) as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", spec.port(settings.ENV.sandbox_port_base))) == 0
