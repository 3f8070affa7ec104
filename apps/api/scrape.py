"""``/metrics`` for Prometheus: for whoever has the scrape token, or is signed in and may see the log."""

from __future__ import annotations

import hmac
from typing import Final

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.urls import path
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    disable_created_metrics,
    generate_latest,
)

from apps.api.streams_log import may_listen
from apps.engine.metrics.families import DatabaseCollector

disable_created_metrics()  # a second series for each counter, which nothing asks for
_SCHEME: Final = "Bearer "
_database: Final = CollectorRegistry()
_database.register(DatabaseCollector())


@login_not_required
def metrics(request: HttpRequest) -> HttpResponse:
    """Return this process's counters and the system's figures in Prometheus's text format."""
    if not (_has_token(request) or may_listen(request.user)):
        answer = HttpResponse("A scrape token or a login is needed.\n", status=401, content_type="text/plain")
        answer["WWW-Authenticate"] = 'Bearer realm="metrics"'
        return answer
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(("GET", "HEAD"))
    try:
        figures = generate_latest(_database)
    except DatabaseError:  # the server's own counters tell more than nothing
        figures = b""
    answer = HttpResponse(generate_latest(REGISTRY) + figures, content_type=CONTENT_TYPE_LATEST)
    answer["Cache-Control"] = "no-store"
    return answer


def _has_token(request: HttpRequest) -> bool:
    """Tell whether the request carries the scrape token; without one configured none is right."""
    wanted = settings.METRICS_TOKEN
    given = request.headers.get("Authorization", "")
    return (
        bool(wanted)
        and given.startswith(_SCHEME)
        and hmac.compare_digest(given.removeprefix(_SCHEME).encode(), wanted.encode())
    )


urlpatterns = [path("metrics", metrics, name="metrics")]
