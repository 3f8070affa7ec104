"""Celery: queues by retry regime, beat table, time limits.

The row is the queue and a message is only a nudge: tasks are never retried by Celery, never redelivered, and a lost one
is found by ``sweep``.
"""

from __future__ import annotations

import threading
import time
import warnings
from typing import Any

from celery import Celery
from celery.exceptions import SecurityWarning
from celery.signals import worker_ready
from kombu import Exchange, Queue

from dexsniper import env

env.name_settings()
# Said once by 'manage.py up' for all processes, instead of by each worker at each start.
warnings.filterwarnings("ignore", category=SecurityWarning)
_QUEUES = ("scan", "evaluate", "execute", "settle", "house")
_exchange = Exchange("dexsniper", type="direct")


def configure(app: Celery) -> None:
    """Give an app the queues, the beat table and the limits."""
    app.config_from_object("django.conf:settings", namespace="CELERY")
    app.conf.update(
        task_queues=[Queue(name, _exchange, routing_key=name) for name in _QUEUES],
        task_default_queue="house",
        task_default_exchange="dexsniper",
        task_default_routing_key="house",
        task_ignore_result=True,
        task_store_errors_even_if_ignored=False,
        worker_hijack_root_logger=False,
        worker_prefetch_multiplier=1,
        broker_connection_retry_on_startup=True,
        broker_transport_options={"socket_timeout": 5, "socket_connect_timeout": 2, "max_retries": 2},
        timezone="UTC",
        task_routes={
            "engine.scan_feeds": {"queue": "scan"},
            "engine.opinions": {"queue": "scan"},
            "engine.entities": {"queue": "scan"},
            "engine.social": {"queue": "scan"},
            "engine.evaluate": {"queue": "evaluate"},
            "engine.execute": {"queue": "execute"},
            "engine.revoke": {"queue": "execute"},
            "engine.settle": {"queue": "settle"},
        },
        beat_schedule={
            "scan-feeds": {"task": "engine.scan_feeds", "schedule": 5.0, "options": {"expires": 5}},
            "reconcile": {"task": "engine.reconcile", "schedule": 60.0, "options": {"expires": 60}},
            "scoreboard": {"task": "engine.scoreboard", "schedule": 60.0, "options": {"expires": 60}},
            "deployers": {"task": "engine.deployers", "schedule": 5.0, "options": {"expires": 5}},
            "regime": {"task": "engine.regime", "schedule": 20.0, "options": {"expires": 20}},
            "reentries": {"task": "engine.reentries", "schedule": 15.0, "options": {"expires": 15}},
            "model-health": {"task": "engine.model_health", "schedule": 300.0, "options": {"expires": 300}},
            "social": {"task": "engine.social", "schedule": 5.0, "options": {"expires": 5}},
            "entities-watch": {"task": "engine.entities_watch", "schedule": 20.0, "options": {"expires": 20}},
            "wallets": {"task": "engine.wallets", "schedule": 600.0, "options": {"expires": 600}},
            # Every minute only to see what is due: each endpoint and exchange once at start, and hourly.
            "endpoints": {"task": "engine.endpoints", "schedule": 60.0, "options": {"expires": 60}},
            "canary": {"task": "engine.canary", "schedule": 60.0, "options": {"expires": 60}},
            "prune": {"task": "engine.prune", "schedule": 3600.0, "options": {"expires": 3600}},
        },
    )


app = Celery("dexsniper")
configure(app)
app.autodiscover_tasks(["apps.engine"], related_name="road")
app.autodiscover_tasks(["apps.engine"], related_name="regimes")
app.autodiscover_tasks(["apps.engine"], related_name="model_health")
app.autodiscover_tasks(["apps.engine"], related_name="social")
app.autodiscover_tasks(["apps.engine"], related_name="deployers")
app.autodiscover_tasks(["apps.engine"], related_name="entities")
app.autodiscover_tasks(["apps.engine"], related_name="reentries")
app.autodiscover_tasks(["apps.engine"], related_name="canary")
app.autodiscover_tasks(["apps.engine"], related_name="endpoints")


_BEAT_EVERY_S = 5
_STALE_AFTER_S = 20


@worker_ready.connect
def _beat_from_now_on(sender: Any, **_: Any) -> None:
    """Give signs of life from a thread of its own: a worker that is merely busy is not dead."""
    name = str(sender.hostname).partition("@")[0]
    threading.Thread(target=_beat_forever, args=(f"worker/{name}",), name="beat", daemon=True).start()


def _beat_forever(component: str) -> None:
    from django.db import Error, close_old_connections

    from apps.state.services.heartbeats import beat

    while True:
        close_old_connections()
        try:
            beat(component=component, stale_after_s=_STALE_AFTER_S)
        except Error:  # the database is away: being silent is then the truth
            pass
        time.sleep(_BEAT_EVERY_S)
