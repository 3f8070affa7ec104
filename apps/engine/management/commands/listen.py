"""Follow all enabled chains: the process behind discovery, exits and recovery."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.domain.errors import SniperError
from apps.engine.listener import Listener


class Command(BaseCommand):
    help = "Follow all enabled chains: find pairs, follow pools, watch positions. Started by 'manage.py up'."
    requires_system_checks = []  # they would load every page and admin into the listener

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until SIGTERM or Ctrl-C."""
        try:
            asyncio.run(_run(Listener()))
        except SniperError as error:
            raise CommandError(f"{error}. {error.remedy}") from error


async def _run(listener: Listener) -> None:
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, listener.stop)
    await listener.run()
