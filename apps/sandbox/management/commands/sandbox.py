"""The sandbox's market: run it, look at it, slow it down."""

from __future__ import annotations

import signal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.domain.errors import SniperError


class Command(BaseCommand):
    help = "Run, watch and steer the sandbox's market."
    requires_system_checks = []  # they would load every page and admin into the market's process

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        actions = parser.add_subparsers(dest="action", required=True)
        run = actions.add_parser("run", help="make blocks and life on the sandbox's chains until stopped")
        run.add_argument("--seed", type=int, help="of the market; the same seed gives the same market")
        status = actions.add_parser("status", help="show chains and market")
        status.add_argument("--truth", action="store_true", help="also what each launch really is")
        actions.add_parser("reset", help="forget the chains; the next start makes fresh ones")
        pace = actions.add_parser("pace", help="set how many new pairs appear a second")
        pace.add_argument("per_second", type=float)
        actions.add_parser("pause", help="launch nothing new")
        actions.add_parser("resume", help="launch again")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it."""
        if not settings.ENV.is_sandbox:
            raise CommandError(
                f"The mode is {settings.ENV.mode}; the sandbox runs in DEXSNIPER_MODE=sandbox."
            )
        try:
            getattr(self, f"_{options['action']}")(options)
        except SniperError as error:
            raise CommandError(f"{error}\n{error.remedy}".strip()) from error

    def _run(self, options: dict[str, Any]) -> None:
        from apps.sandbox.driver import Driver
        from apps.sandbox.logic.parameters import TIME_FACTOR

        seed = settings.ENV.sandbox_seed if options["seed"] is None else options["seed"]
        driver = Driver(seed=seed)
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, lambda *_: driver.stopping.set())
        self.stdout.write(
            f"SANDBOX market, seed {seed}: simulated, one second stands for {TIME_FACTOR} of a real market"
        )
        driver.run()

    def _status(self, options: dict[str, Any]) -> None:
        from apps.sandbox.status import status_lines

        for line in status_lines(with_truth=options["truth"]):
            self.stdout.write(line)

    def _reset(self, options: dict[str, Any]) -> None:
        from apps.sandbox.status import chains_forget

        removed = chains_forget()
        self.stdout.write(f"removed {len(removed)} stored chains; the next start makes fresh ones")

    def _pace(self, options: dict[str, Any]) -> None:
        from apps.sandbox.pace import pace_set

        self.stdout.write(f"{pace_set(options['per_second']).per_second:g} new pairs a second")

    def _pause(self, options: dict[str, Any]) -> None:
        from apps.sandbox.pace import market_pause

        market_pause()
        self.stdout.write("no new launches; running ones go on")

    def _resume(self, options: dict[str, Any]) -> None:
        from apps.sandbox.pace import market_resume

        self.stdout.write(f"{market_resume().per_second:g} new pairs a second")
