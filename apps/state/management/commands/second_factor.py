"""Help those whose device is lost."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.state.console import answer, console_user
from apps.state.services.second_factor import factor_remove, factor_state


class Command(BaseCommand):
    """``manage.py second_factor status | remove``."""

    help = "Tells who has a second factor, or takes a lost one away; the person sets up a new one at the next sign-in."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the acts."""
        acts = parser.add_subparsers(dest="act", required=True)
        status = acts.add_parser("status", help="list everybody")
        remove = acts.add_parser("remove", help="take somebody's second factor away")
        remove.add_argument("name", help="the user's name")
        for act in (status, remove):
            act.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do one act."""
        if options["act"] == "remove":
            self._remove(options["name"], as_json=options["json"])
            return
        states = {user.get_username(): factor_state(user) for user in get_user_model().objects.order_by("pk")}
        fields = {
            name: {"is_set_up": state.is_set_up, "codes_left": state.codes_left}
            for name, state in states.items()
        }
        lines = [
            f"{name}: " + (f"set up, {state.codes_left} recovery codes left" if state.is_set_up else "none")
            for name, state in states.items()
        ]
        answer(self, as_json=options["json"], fields=fields, text="\n".join(lines) or "There are no users.")

    def _remove(self, name: str, *, as_json: bool) -> None:
        user = get_user_model().objects.filter(username=name).first()
        if user is None:
            raise CommandError(f"There is no user {name}.")
        was_set_up = factor_remove(user, by=console_user())
        text = f"{name} has no second factor any more." if was_set_up else f"{name} had none."
        answer(self, as_json=as_json, fields={"removed": was_set_up}, text=text)
