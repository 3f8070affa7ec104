"""Tell people, test how they are told, list what they were told."""

from __future__ import annotations

import signal
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.alerts import wiring
from apps.alerts.models import TRANSPORTS, AlertRecord, Delivery
from apps.alerts.services.alerts import alert_acknowledge
from apps.alerts.services.deliveries import delivery_send, delivery_test
from apps.alerts.watcher import Watcher
from apps.state.console import answer, console_user, plain_errors

_LISTED = 50


class Command(BaseCommand):
    """``manage.py alerts run|test|list|acknowledge``."""

    help = "Watches and tells (run, started by 'manage.py up'), sends a test message (test), lists open alerts (list)."
    requires_system_checks = []  # they would load every page and admin into the process that tells

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the acts."""
        acts = parser.add_subparsers(dest="act", required=True)
        run = acts.add_parser("run", help="look, tell and listen to the Telegram bot until stopped")
        run.add_argument("--web-url", default="", help="our own web server, watched too")
        test = acts.add_parser("test", help="send a test message now and say how it went")
        test.add_argument("transport", choices=TRANSPORTS)
        listed = acts.add_parser("list", help="open alerts, newest first")
        acknowledge = acts.add_parser("acknowledge", help="note that somebody looks after it")
        acknowledge.add_argument("alert", type=int)
        for act in (test, listed, acknowledge):
            act.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do one act."""
        with plain_errors():
            getattr(self, f"_{options['act']}")(options)

    def _run(self, options: dict[str, Any]) -> None:
        watcher = Watcher(web_url=options["web_url"])
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: watcher.stop())
        watcher.run()

    def _test(self, options: dict[str, Any]) -> None:
        way = options["transport"]
        if way not in wiring.configured():
            raise CommandError(f"{way} is not configured.\n  remedy: docs/alerts.md says what to set.")
        row = delivery_test(way=way, by=console_user())
        delivery_send(row.pk, wiring.transport(way))
        row.refresh_from_db()
        fields = {"delivery": row.pk, "transport": way, "status": row.status, "error": row.error}
        text = f"Sent by {way}." if row.status == Delivery.Status.SENT else f"Not sent: {row.error}"
        answer(self, as_json=options["json"], fields=fields, text=text)
        if row.error:
            raise CommandError(f"The test message by {way} did not get through.")

    def _list(self, options: dict[str, Any]) -> None:
        rows = list(AlertRecord.objects.filter(resolved_at=None)[:_LISTED])
        lines = [f"{row.pk:>6} {row.severity:<8} {row.rule:<14} {row.title}" for row in rows]
        fields = {
            "alerts": [
                {
                    "id": row.pk,
                    "rule": row.rule,
                    "severity": row.severity,
                    "title": row.title,
                    "count": row.count,
                }
                for row in rows
            ]
        }
        answer(self, as_json=options["json"], fields=fields, text="\n".join(lines) or "No alert is open.")

    def _acknowledge(self, options: dict[str, Any]) -> None:
        if not alert_acknowledge(alert_id=options["alert"], by=console_user()):
            raise CommandError("There is no such open alert, or somebody has acknowledged it already.")
        answer(self, as_json=options["json"], fields={"alert": options["alert"]}, text="Acknowledged.")
