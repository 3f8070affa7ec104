"""Where the second factor is asked for: in one place, for pages and the admin alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.deprecation import MiddlewareMixin
from django.utils.http import url_has_allowed_host_and_scheme, urlencode

from apps.state.permissions import SecondFactorNeeded
from apps.state.services.second_factor import is_missing, is_set_up

#: Pages of the admin that let people in and out.
_DOORS = ("admin:login", "admin:logout")


class AskSecondFactor(MiddlewareMixin):
    """Leads whoever lacks the second factor to where it is given, and back.

    A view that needs it says so with SecondFactorNeeded. The admin changes rows of every kind, so that it needs it as a whole.
    """

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        """Ask before a page of the admin is shown."""
        match = request.resolver_match
        if match is None or match.app_name != "admin" or match.view_name in _DOORS:
            return None
        user = request.user
        if user.is_authenticated and user.is_staff and is_missing(user):
            return asked(request)
        return None

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Ask when a view says that it is needed."""
        if isinstance(exception, SecondFactorNeeded) and not request.path.startswith("/api/"):
            return asked(request)
        return None


def asked(request: HttpRequest) -> HttpResponse:
    """Return the way to the second factor; afterwards the person is back where they were."""
    target = "dashboard:second_factor_verify" if is_set_up(request.user) else "dashboard:second_factor"
    url = f"{reverse(target)}?{urlencode({'next': _place(request)})}"
    if request.method not in ("GET", "HEAD"):
        messages.warning(request, "Nothing was done: give your second factor, then do it again.")
    if getattr(request, "htmx", False):
        response = HttpResponse(status=204)
        response["HX-Redirect"] = url
        return response
    return HttpResponseRedirect(url)


def _place(request: HttpRequest) -> str:
    """Return the page to return to: this one, or the one whose form was sent."""
    if request.method in ("GET", "HEAD"):
        return request.get_full_path()
    sent_from = request.META.get("HTTP_REFERER", "")
    if url_has_allowed_host_and_scheme(
        sent_from, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        parts = urlsplit(sent_from)
        return f"{parts.path}?{parts.query}" if parts.query else parts.path
    return reverse("dashboard:overview")
