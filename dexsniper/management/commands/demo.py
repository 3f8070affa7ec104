"""Run the whole system headless in a fresh sandbox for a while and report what it did."""

from __future__ import annotations

import asyncio
import json
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.sandbox.chainspec import CHAINS, FEED_PORT_OFFSET
from dexsniper.env import BASE_DIR, Environment, child_environment
from dexsniper.supervisor import Supervisor

_INNER = "--inner"
_SETTLE_S = 20  # after the run, orders in flight reach the chain and the books
_START_TIMEOUT_S = 90
_STRETCHES_TRIED_MAX = 50


class Command(BaseCommand):
    help = "Run everything headless in a fresh sandbox for N seconds and print one JSON object with what happened."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--seconds", type=int, default=120, help="how long the market runs (default 120)")
        parser.add_argument("--seed", type=int, default=1, help="seed of the market (default 1)")
        parser.add_argument(
            "--pace", type=float, default=2.0, help="new pairs a second, all chains together (default 2)"
        )
        parser.add_argument(
            "--chains",
            metavar="NAMES",
            help="the local chains that run: all, or some of base, bsc, ethereum, polygon, arbitrum with commas between"
            " (default: as DEXSNIPER_SANDBOX_CHAINS says)",
        )
        parser.add_argument(
            "--json", action="store_true", help="print one JSON object (also the default form)"
        )
        parser.add_argument("--keep", metavar="DIR", help="keep the database and logs in this folder")
        parser.add_argument("--web", action="store_true", help="start the web server as well")
        parser.add_argument(
            _INNER, metavar="FILE", help="internal: run here and write the report to this file"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Start the inner run in a process and data folder of its own, then print its report."""
        if not 10 <= options["seconds"] <= 3_600:
            raise CommandError("--seconds must be 10 to 3600")
        if options["inner"]:
            asyncio.run(_run_inner(settings.ENV, options))
            return
        folder = Path(options["keep"] or tempfile.mkdtemp(prefix="dexsniper-demo-")).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        try:
            self.stdout.write(json.dumps(_run_outer(folder, options), indent=None if options["json"] else 2))
        finally:
            if not options["keep"]:
                shutil.rmtree(folder, ignore_errors=True)


def _run_outer(folder: Path, options: dict[str, Any]) -> dict[str, Any]:
    report = folder / "report.json"
    arguments = [
        *(sys.executable, str(BASE_DIR / "manage.py"), "demo", _INNER, str(report)),
        *(
            "--seconds",
            str(options["seconds"]),
            "--seed",
            str(options["seed"]),
            "--pace",
            str(options["pace"]),
        ),
        *(("--web",) if options["web"] else ()),
    ]
    port, chain_port = free_ports()
    environment = child_environment(
        DEXSNIPER_MODE="sandbox",
        DEXSNIPER_DATA_DIR=str(folder),
        DEXSNIPER_DATABASE_URL="",
        DEXSNIPER_REDIS_URL="",
        DEXSNIPER_PORT=str(port),
        DEXSNIPER_SANDBOX_PORT_BASE=str(chain_port),
        DEXSNIPER_SANDBOX_SEED=str(options["seed"]),
        DEXSNIPER_SANDBOX_PACE=str(options["pace"]),
        DEXSNIPER_ADMIN_PASSWORD=secrets.token_urlsafe(16),
        DEXSNIPER_AUTOSTART="true",
    )
    if options["chains"]:
        environment["DEXSNIPER_SANDBOX_CHAINS"] = options["chains"]
    log_path = folder / "demo.log"
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            arguments, env=environment, stdout=log, stderr=subprocess.STDOUT, cwd=BASE_DIR
        )
        started = time.monotonic()
        try:
            while process.poll() is None:
                elapsed = int(time.monotonic() - started)
                sys.stderr.write(f"\rdemo: {elapsed} s of about {options['seconds'] + _SETTLE_S + 15} s ")
                sys.stderr.flush()
                time.sleep(1)
                if elapsed > options["seconds"] + _START_TIMEOUT_S + _SETTLE_S + 60:
                    raise CommandError(f"the run did not end in time\n{_tail(log_path)}")
        except KeyboardInterrupt:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=30)
            raise
        finally:
            sys.stderr.write("\n")
            if process.poll() is None:
                process.terminate()
                process.wait(timeout=30)
    if process.returncode != 0 or not report.is_file():
        raise CommandError(f"the run failed with code {process.returncode}\n{_tail(log_path)}")
    result: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    return result


def free_ports() -> tuple[int, int]:
    """Return a web port and the first port of a free stretch for the chains. Raises CommandError when all are taken."""
    for _ in range(_STRETCHES_TRIED_MAX):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            web = int(probe.getsockname()[1]) % 10_000 + 20_000
        chains = web + 20_000
        offsets = (*(chain.port_offset for chain in CHAINS), FEED_PORT_OFFSET)
        if all(map(_is_free, (web, *(chains + offset for offset in offsets)))):
            return web, chains
    raise CommandError("no free stretch of ports was found")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _tail(path: Path, lines: int = 40) -> str:
    return "\n".join(path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


async def _run_inner(env: Environment, options: dict[str, Any]) -> None:
    from asgiref.sync import sync_to_async

    from apps.sandbox.demo import finish, open_market
    from apps.sandbox.pace import market_pause
    from dexsniper.management.commands.up import all_specs, prepare

    await sync_to_async(prepare)(env, say=print)
    market_pause()  # the run's seconds begin when everything is at work
    supervisor = Supervisor(all_specs(env, web=options["web"]), cwd=BASE_DIR, colour=False)
    ready = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, supervisor.stop)
    loop.add_signal_handler(signal.SIGTERM, supervisor.stop)
    run = asyncio.create_task(supervisor.run(on_ready=ready))
    try:
        await asyncio.wait_for(ready.wait(), _START_TIMEOUT_S)
        await sync_to_async(open_market)(timeout_s=_START_TIMEOUT_S)
        await asyncio.wait(
            {run, asyncio.create_task(asyncio.sleep(options["seconds"]))}, return_when="FIRST_COMPLETED"
        )
        if run.done():
            raise CommandError("the run was stopped")
        report = await sync_to_async(finish)(seconds=options["seconds"], settle_s=_SETTLE_S)
        report["restarts"] = {name: count for name, count in supervisor.restarts.items() if count}
        await sync_to_async(Path(options["inner"]).write_text)(json.dumps(report), encoding="utf-8")
    finally:
        supervisor.stop()
        await run
