"""Ask the few questions of a first run."""

from __future__ import annotations

import getpass
import os
import secrets
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from dexsniper.env import BASE_DIR, KEYSTORE_PASSWORD_LENGTH_MIN, MODES, PREFIX, RELAY_EXITS

_FILE_MODE, _FOLDER_MODE = 0o600, 0o700
_NOTHING = "Nothing was written."
_RELAY_EXITS_QUESTION = (
    "With a private relay, purchases never go where strangers see them. A sale that the relay does not get into a block,"
    " even of a token that falls, can 'stay' with it and be given up and tried again, or 'leak' to the public pool after"
    " execution.relay_blocks_max blocks, where others may trade around it."
)
_NEXT = {
    "sandbox": "Next: 'make run'. Everything is simulated on local chains; no key is needed.",
    "paper": "Next: 'make run', then add an endpoint to each chain you want to follow, in the admin under Endpoints. "
    "Nothing is ever sent.",
    "live": "Next: 'manage.py wallet create trader', fund it, mark it live in the admin, add an endpoint to each chain you "
    "want to follow, 'manage.py doctor', 'make run'.",
}


class Command(BaseCommand):
    """``manage.py setup``: mode first, keys only for live."""

    help = "Ask the questions of a first run (mode first, keys only for live) and write them to .env."
    requires_system_checks = []
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options: with --mode nothing that has a default is asked."""
        parser.add_argument(
            "--mode", choices=MODES, help="do not ask for the mode, nor for what has a default"
        )
        parser.add_argument("--force", action="store_true", help="replace an existing .env")
        parser.add_argument(
            "--file", type=Path, default=BASE_DIR / ".env", help="write there instead of .env"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Ask, write, and name the next step."""
        path: Path = options["file"]
        if path.exists() and not options["force"]:
            raise CommandError(f"{path} exists already. Edit it, or run again with --force to replace it.")
        try:
            lines, mode = self._answers(options["mode"])
        except (EOFError, KeyboardInterrupt):
            reason = (
                "" if sys.stdin.isatty() else " There is nobody to ask: run it in a terminal, or give --mode."
            )
            raise CommandError(f"{_NOTHING}{reason}") from None
        path.unlink(missing_ok=True)  # so that it is made anew with its own rights
        _write_private(path, "\n".join(lines) + "\n")
        self.stdout.write(self.style.SUCCESS(f"Wrote {path.name} for {mode}."))
        self.stdout.write(_NEXT[mode])

    def _answers(self, given_mode: str | None) -> tuple[list[str], str]:
        mode = given_mode or self._choose("Mode", MODES, default="sandbox")
        lines = [f"{PREFIX}MODE={mode}"]
        if given_mode is None:
            lines.append(f"{PREFIX}PORT={self._port()}")
        if mode == "live":
            lines += self._live_answers()
        return lines, mode

    def _port(self) -> int:
        answer = self._ask("Port of the web page", default="8001")
        if not answer.isdecimal() or not 1 <= int(answer) <= 65_000:
            raise CommandError(f"{answer!r} is not a port number (1 to 65000). {_NOTHING}")
        return int(answer)

    def _live_answers(self) -> list[str]:
        self.stdout.write(
            self.style.WARNING(
                "Live trading spends real money. It needs two more switches and a wallet marked live."
            )
        )
        if self._ask("Type LIVE to go on", default="") != "LIVE":
            raise CommandError(_NOTHING)
        length = KEYSTORE_PASSWORD_LENGTH_MIN
        password = getpass.getpass(
            f"Keystore password ({length} characters or more; it encrypts your keys): "
        )
        if len(password) < length or password != password.strip():
            raise CommandError(
                f"The password has fewer than {length} characters, or a space at an end. {_NOTHING}"
            )
        if getpass.getpass("Once more: ") != password:
            raise CommandError(f"The two passwords differ. {_NOTHING}")
        self.stdout.write(_RELAY_EXITS_QUESTION)
        exits = self._choose("Such a sale", RELAY_EXITS, default="")
        folder = (
            Path(self._ask("Folder for the password file", default="~/.dexsniper")).expanduser().resolve()
        )
        path = folder / f"keystore-{secrets.token_hex(4)}.password"
        try:
            folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
            _write_private(path, password)
        except OSError as error:
            raise CommandError(f"{folder} cannot be written: {error.strerror}. {_NOTHING}") from error
        self.stdout.write(
            f"The password lies in {path}. Back it up apart from the keystore: nobody else has it."
        )
        return [
            f"{PREFIX}LIVE_TRADING=true",
            f"{PREFIX}KEYSTORE_PASSWORD_FILE={path}",
            f"{PREFIX}RELAY_EXITS={exits}",
        ]

    def _choose(self, question: str, choices: tuple[str, ...], *, default: str) -> str:
        answer = self._ask(f"{question} ({', '.join(choices)})", default=default).lower()
        if answer not in choices:
            raise CommandError(f"{answer!r} is not one of {', '.join(choices)}. {_NOTHING}")
        return answer

    @staticmethod
    def _ask(question: str, *, default: str) -> str:
        suffix = f" [{default}]" if default else ""
        return input(f"{question}{suffix}: ").strip() or default


def _write_private(path: Path, text: str) -> None:
    """Write a new file that nobody else may read. Raises FileExistsError rather than replace one."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE_MODE)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
