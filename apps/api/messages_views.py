"""The schemas of the sockets' messages, for whoever writes a client. They say nothing of this installation."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, JsonResponse
from django.urls import path, reverse
from django.views.decorators.http import require_safe

from apps.api.messages import STREAMS, VERSION, schema_names, schema_of

SCHEMA_TYPE = "application/schema+json"


@login_not_required
@require_safe
def schemas(_: HttpRequest) -> JsonResponse:
    """List the schemas, and which types travel on which socket."""
    return JsonResponse(
        {
            "version": VERSION,
            "streams": STREAMS,
            "schemas": {name: reverse("schemas:one", args=[name]) for name in schema_names()},
        }
    )


@login_not_required
@require_safe
def schema(_: HttpRequest, name: str) -> JsonResponse:
    """Return one schema."""
    found = schema_of(name)
    if found is None:
        raise Http404
    return JsonResponse(found, content_type=SCHEMA_TYPE)


app_name = "schemas"
urlpatterns = [path("", schemas, name="all"), path("<str:name>", schema, name="one")]
