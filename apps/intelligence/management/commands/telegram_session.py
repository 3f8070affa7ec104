"""Sign a Telegram account in, so that public channels can be read through it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.domain.errors import ConfigurationError
from apps.intelligence.sources.social.telegram_channels import telethon


class Command(BaseCommand):
    """Ask for phone and code, and write the session to a file that only its owner can read."""

    help = (
        "Sign a Telegram account in and write its session to FILE, for DEXSNIPER_TELEGRAM_SESSION_FILE. Whoever has the"
        " file has the account: use one made for this."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the file to write."""
        parser.add_argument("file", type=Path, help="where to write the session; it must not be there yet")

    def handle(self, *args: Any, **options: Any) -> None:
        """Sign in and write."""
        env, path = settings.ENV, options["file"]
        if not env.telegram_api_id or not env.telegram_api_hash:
            raise CommandError(
                "Set DEXSNIPER_TELEGRAM_API_ID and DEXSNIPER_TELEGRAM_API_HASH_FILE first: my.telegram.org gives both."
            )
        try:
            library = telethon()
        except ConfigurationError as error:
            raise CommandError(f"{error} {error.remedy}") from error
        try:
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise CommandError(f"{path} cannot be made: {error.strerror}. Name a new file.") from error
        try:
            with (
                os.fdopen(file, "w", encoding="utf-8") as out,
                library.TelegramClient(
                    library.sessions.StringSession(), env.telegram_api_id, env.telegram_api_hash
                ) as client,
            ):
                out.write(client.session.save())
        except (OSError, EOFError, library.errors.RPCError) as error:
            path.unlink(missing_ok=True)
            raise CommandError(f"Telegram did not sign in: {error}. Nothing was kept; try again.") from error
        self.stdout.write(f"The session stands in {path}. Set DEXSNIPER_TELEGRAM_SESSION_FILE to it.")
