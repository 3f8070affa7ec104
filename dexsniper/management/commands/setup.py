"""Ask the few questions of a first run."""

from __future__ import annotations

import getpass
import os
import secrets
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from dexsniper.env import BASE_DIR, MODES, PREFIX

_PASSWORD_LENGTH_MIN = 12


class Command(BaseCommand):
    help = "Ask the questions of a first run (mode first, keys only for live) and write them to .env."
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options: with --mode nothing that has a default is asked."""
        parser.add_argument("--mode", choices=MODES, help="do not ask for the mode")
        parser.add_argument("--force", action="store_true", help="replace an existing .env")

    def handle(self, *args: Any, **options: Any) -> None:
        """Ask, write, and name the next step."""
        path = BASE_DIR / ".env"
        if path.exists() and not options["force"]:
            raise CommandError(f"{path} exists already. Edit it, or run again with --force to replace it.")
        mode = options["mode"] or self._choose("Mode", MODES, default="sandbox")
        lines = [f"{PREFIX}MODE={mode}"]
        interactive = options["mode"] is None
        if interactive:
            port = self._ask("Port of the web page", default="8001")
            if not port.isdigit():
                raise CommandError(f"{port!r} is not a port number.")
            lines.append(f"{PREFIX}PORT={port}")
        if mode == "live":
            lines += self._live_answers()
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        self.stdout.write(self.style.SUCCESS(f"Wrote {path.name} for {mode}."))
        self.stdout.write(_NEXT[mode])

    def _live_answers(self) -> list[str]:
        self.stdout.write(
            self.style.WARNING(
                "Live trading spends real money. It needs two more switches and a wallet marked live."
            )
        )
        if self._ask("Type LIVE to go on", default="") != "LIVE":
            raise CommandError("Nothing was written.")
        password = getpass.getpass("Keystore password (12 characters or more; it encrypts your keys): ")
        if len(password) < _PASSWORD_LENGTH_MIN:
            raise CommandError(
                f"The password has fewer than {_PASSWORD_LENGTH_MIN} characters. Nothing was written."
            )
        if getpass.getpass("Once more: ") != password:
            raise CommandError("The two passwords differ. Nothing was written.")
        folder = Path(self._ask("Folder for the password file", default=str(Path.home() / ".dexsniper")))
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / f"keystore-{secrets.token_hex(4)}.password"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(password)
        return [f"{PREFIX}LIVE_TRADING=true", f"{PREFIX}KEYSTORE_PASSWORD_FILE={path}"]

    def _choose(self, question: str, choices: tuple[str, ...], *, default: str) -> str:
        answer = self._ask(f"{question} ({', '.join(choices)})", default=default).lower()
        if answer not in choices:
            raise CommandError(f"{answer!r} is not one of {', '.join(choices)}.")
        return answer

    def _ask(self, question: str, *, default: str) -> str:
        suffix = f" [{default}]" if default else ""
        try:
            answer = input(f"{question}{suffix}: ").strip()
        except EOFError:
            if not sys.stdin.isatty():
                raise CommandError("There is nobody to ask: run it in a terminal, or give --mode.") from None
            raise
        return answer or default


_NEXT = {
    "sandbox": "Next: 'make run'. Everything is simulated on local chains; no key is needed.",
    "paper": "Next: add chains and endpoints in the admin, then 'make run'. Nothing is ever sent.",
    "live": "Next: 'manage.py wallet create trader', fund it, mark it live in the admin, 'manage.py doctor', 'make run'.",
}
