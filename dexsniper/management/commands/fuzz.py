"""Draw many requests to the JSON API from its own description, and check every answer against it."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from apps.api.assembly import description
from apps.state.console import answer
from dexsniper.env import BASE_DIR, child_environment

_TEST = "tests/api/test_fuzzing.py"
_EXAMPLES = 200
_TIME_MAX_S = 3_000
_TAIL_LENGTH = 3_000


class Command(BaseCommand):
    """``manage.py fuzz``: the gate's test of the API with many more examples, others each time. Needs the test tools."""

    help = "Draws requests from the API's description and checks that each is answered as described, never with a 5xx."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--examples", type=int, default=_EXAMPLES, help="requests for each operation (default 200)"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the test and report; exits with 1 when an answer was wrong."""
        started = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", _TEST],
            cwd=BASE_DIR,
            env=child_environment(API_FUZZ_EXAMPLES=str(options["examples"])),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_TIME_MAX_S,
            check=False,
            text=True,
        )
        operations = sum(len(found) for found in description()["paths"].values())
        fields = {
            "operations": operations,
            "examples_each": options["examples"],
            "failures": 0 if done.returncode == 0 else 1,
            "seconds": round(time.monotonic() - started, 1),
        }
        told = "" if done.returncode == 0 else re.sub(r"\x1b\[\d*m", "", done.stdout)[-_TAIL_LENGTH:]
        text = f"{operations} operations, {options['examples']} requests each: "
        answer(
            self,
            as_json=options["json"],
            fields=fields | ({"told": told} if told else {}),
            text=text + (told or "all answered as described"),
        )
        if done.returncode:
            sys.exit(1)
