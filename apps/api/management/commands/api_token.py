"""Make, list and revoke the tokens of the JSON API."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.api.models import ApiToken
from apps.api.scopes import SCOPES
from apps.api.services.tokens import token_create, token_revoke, tokens_of, user_named
from apps.state.console import answer, console_user, plain_errors
from apps.state.services.second_factor import vouch


class Command(BaseCommand):
    """``manage.py api_token create|list|revoke``."""

    help = "Makes a token of the JSON API and shows it once (create), lists and ends tokens (list, revoke)."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the acts."""
        acts = parser.add_subparsers(dest="act", required=True)
        create = acts.add_parser("create", help="make a token; it can never do more than its user")
        create.add_argument("user", help="the user's name")
        create.add_argument("name", help="what the token is for")
        create.add_argument("--scope", action="append", choices=list(SCOPES), help="may be given many times")
        create.add_argument("--days", type=int, help="it ends after so many days (default: when revoked)")
        listing = acts.add_parser("list", help="list all tokens")
        revoke = acts.add_parser("revoke", help="end a token at once")
        revoke.add_argument("prefix", help="its first eight signs, as list tells them")
        for act in (create, listing, revoke):
            act.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do one act."""
        with plain_errors():
            getattr(self, f"_{options['act']}")(options)

    def _create(self, options: dict[str, Any]) -> None:
        row, token = token_create(
            user=vouch(user_named(options["user"])),
            name=options["name"],
            scopes=options["scope"] or ["read"],
            by=console_user(),
            days=options["days"],
        )
        text = f"{token}\nThis is shown once. Scopes: {', '.join(row.scopes)}."
        answer(self, as_json=options["json"], fields={"token": token, **_fields(row)}, text=text)

    def _list(self, options: dict[str, Any]) -> None:
        rows = [_fields(row) for row in tokens_of()]
        lines = [
            f"{row['prefix']}  {row['user']}  {','.join(row['scopes'])}  {row['state']}  {row['name']}"
            for row in rows
        ]
        text = "\n".join(lines) or "There are no tokens."
        answer(self, as_json=options["json"], fields={"tokens": rows}, text=text)

    def _revoke(self, options: dict[str, Any]) -> None:
        row = ApiToken.objects.filter(prefix=options["prefix"]).first()
        if row is None or not token_revoke(token_id=row.pk, by=console_user()):
            raise CommandError(
                f"No token {options['prefix']!r} is in force; 'manage.py api_token list' tells."
            )
        answer(
            self, as_json=options["json"], fields={"revoked": row.prefix}, text=f"{row.prefix} is revoked."
        )


def _fields(row: ApiToken) -> dict[str, Any]:
    return {
        "prefix": row.prefix,
        "user": row.user.get_username(),
        "name": row.name,
        "scopes": row.scopes,
        "state": row.state,
        "created_at": row.created_at.isoformat(),
        "expires_at": None if row.expires_at is None else row.expires_at.isoformat(),
        "last_used_at": None if row.last_used_at is None else row.last_used_at.isoformat(),
    }
