"""Start everything and keep it running."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.domain.errors import SniperError
from apps.state.services.config import active_config, config_change
from apps.state.services.engine import engine_start, engine_view, installation_prepare
from dexsniper.env import BASE_DIR, Environment
from dexsniper.processes import alerts_spec, broker_spec, engine_specs, web_spec
from dexsniper.supervisor import AlreadyRunningError, ChildSpec, InstanceLock, Supervisor

_PAPER_WALLET = "trader"


class Command(BaseCommand):
    help = (
        "Start web server, workers, listener, broker and (in the sandbox) the local chains; stop with Ctrl-C."
    )

    requires_system_checks = []  # of the code, which is checked where it is made; 'doctor' looks at this machine

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--no-web", action="store_true", help="run headless, without the web server")
        parser.add_argument("--no-colour", action="store_true", help="plain log lines")

    def handle(self, *args: Any, **options: Any) -> None:
        """Prepare the data, then supervise until stopped."""
        env: Environment = settings.ENV
        try:
            with InstanceLock(env.data_dir):
                prepare(env, say=self.stdout.write)
                specs = all_specs(env, web=not options["no_web"])
                supervisor = Supervisor(
                    specs,
                    cwd=BASE_DIR,
                    colour=sys.stdout.isatty() and not options["no_colour"],
                    output=sys.stdout,
                )
                asyncio.run(_supervise(supervisor, env, web=not options["no_web"]))
        except (AlreadyRunningError, SniperError) as error:
            raise CommandError(f"{error}\n{getattr(error, 'remedy', '')}".strip()) from error
        self.stdout.write("stopped")


def prepare(env: Environment, *, say: Any) -> None:
    """Bring the database up to date, stamp the mode and create the admin user of a first start."""
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        say("Running as root: everything works, but an ordinary user is safer.")
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
    call_command("migrate", verbosity=0, interactive=False)
    installation_prepare(mode=env.mode)
    _first_answers(env)
    users = get_user_model().objects
    if not users.filter(is_superuser=True).exists():
        password = env.admin_password or secrets.token_urlsafe(12)
        users.create_superuser(username=env.admin_user, email="", password=password)
        if env.admin_password:
            say(f"Created the admin user '{env.admin_user}' with the password from the environment.")
        else:
            say(
                f"Created the admin user. Name: {env.admin_user}  Password: {password}  (shown only this once)"
            )
    if not env.is_sandbox:
        _furnish(env, say=say)
    view = engine_view()
    if env.autostart and view.changed_by == "setup":
        engine_start(by="autostart", reason="first start")


def _first_answers(env: Environment) -> None:
    """Take over what the first run asked, while nobody has changed the configuration yet."""
    active, leaks = active_config(), env.relay_exits == "leak"
    if env.relay_exits and active.revision == 1 and active.config.execution.relay_leak_exits != leaks:
        config_change(
            payload={"execution": {"relay_leak_exits": leaks}},
            by="setup",
            reason="the answer of the first run",
        )


def _furnish(env: Environment, *, say: Any) -> None:
    """Give a first start in paper or live what the sandbox makes for itself: chains and, on paper, a wallet."""
    # Imported where it is needed: the chain libraries behind them would cost every start a second.
    from apps.chains.models import Chain
    from apps.chains.services.defaults import chains_load
    from apps.wallets.selectors import wallet_views

    if not Chain.objects.exists():
        chains_load()
        say(
            f"Filled in {Chain.objects.count()} chains. Add an endpoint for each you want to follow, in the admin under "
            "Endpoints."
        )
    if env.mode == "paper" and not wallet_views():
        from apps.wallets.services.wallets import wallet_create

        wallet = wallet_create(key=_PAPER_WALLET, mode="paper")
        say(f"Created the paper wallet '{wallet.key}'. It holds no real coins, and nothing is ever sent.")


def all_specs(env: Environment, *, web: bool) -> list[ChildSpec]:
    """Return every process of this mode; what has a port stands before what needs it."""
    broker = broker_spec(env)
    specs = [broker] if broker else []
    needs: tuple[str, ...] = ()
    if env.is_sandbox:
        from apps.sandbox.processes import sandbox_specs

        *chains, market = (ChildSpec(**spec) for spec in sandbox_specs(env))
        specs += [*chains, replace(market, needs=tuple(chain.name for chain in chains))]
        needs = (market.name,)
    specs += [web_spec(env)] if web else []
    return [*specs, *engine_specs(env, needs=needs), alerts_spec(env, web=web)]


async def _supervise(supervisor: Supervisor, env: Environment, *, web: bool) -> None:
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(name, supervisor.stop)
    ready = asyncio.Event()
    run = asyncio.create_task(supervisor.run(on_ready=ready))
    await asyncio.wait({run, asyncio.create_task(ready.wait())}, return_when=asyncio.FIRST_COMPLETED)
    if web and not run.done():
        supervisor.say(
            "up", f"{env.mode.upper()} is running at http://{env.host}:{env.port}  (stop with Ctrl-C)", 92
        )
    await run
