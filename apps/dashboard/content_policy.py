"""The admin's content policy: its theme evaluates expressions and styles inline; strangers' scripts stay out all the same."""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.deprecation import MiddlewareMixin

ADMIN_POLICY: Final = {
    "script-src": ["'self'", "'unsafe-eval'"],
    "style-src": ["'self'", "'unsafe-inline'"],
}


class AdminContentPolicy(MiddlewareMixin):
    """Loosens two directives for the admin alone; stands after the middleware that writes the policy."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Replace the directives."""
        match = request.resolver_match
        if match is not None and match.app_name == "admin":
            response._csp_replace = ADMIN_POLICY  # type: ignore[attr-defined]  # read by django-csp
        return response
