"""What the views share: a page with its live panels, a safe way back, a service's refusal shown in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from apps.dashboard.asks import Ask, ask_of
from apps.dashboard.panels import FLAGS, grants_of, panels_html
from apps.domain.errors import SniperError

REASON_LENGTH_MAX = 200


def page(request: HttpRequest, template: str, *, view: str, key: str = "", **context: Any) -> HttpResponse:
    """Return a page with the panels of ``view``, kept alive by the socket."""
    ask = ask_of(request.GET.dict(), view=view, key=key)
    grants = grants_of(request.user)
    flags = {flag: permission in grants for flag, permission in FLAGS.items()}
    live_url = f"/ws/live/?{ask.query}"
    return render(
        request,
        template,
        {"asked": ask, "panels": panels_html(ask, grants), "live_url": live_url, **flags, **context},
    )


def plain_page(request: HttpRequest, template: str, *, status: int = 200, **context: Any) -> HttpResponse:
    """Return a page of which only the frame is live."""
    return render(
        request, template, {"live_url": f"/ws/live/?{Ask(view='page').query}", **context}, status=status
    )


def way_back(request: HttpRequest, default: str = "dashboard:overview") -> str:
    """Return the page that a form names to return to, if it is one of ours."""
    target = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        return target
    return reverse(default)


def reason_of(request: HttpRequest) -> str:
    """Return the reason given with a form, bounded."""
    return request.POST.get("reason", "").strip()[:REASON_LENGTH_MAX]


def attempt(request: HttpRequest, act: Callable[[], str], *, back: str) -> HttpResponse:
    """Do something and return to a page that says how it went; a refusal is shown with its remedy."""
    try:
        messages.success(request, act())
    except SniperError as error:
        messages.error(request, " ".join(filter(None, (str(error), error.remedy))))
    return HttpResponseRedirect(back)
