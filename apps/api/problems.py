"""Every error as problem+json (RFC 9457): category, recovery and remedy for machines and people."""

from __future__ import annotations

import logging
import math
from http import HTTPStatus
from typing import Any

import ninja.errors
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse

from apps.api.logic.problems import AUTHORISE, CORRECT, REPORT, REQUEST, WAIT, status_of
from apps.api.schemas.base import Fault, Problem
from apps.domain.errors import Category, SniperError
from apps.state.permissions import SecondFactorNeeded
from apps.state.services.config import ConfigRefusedError
from apps.state.tracing import current_trace

logger = logging.getLogger(__name__)
MEDIA_TYPE = "application/problem+json"
FAULTS_MAX = 50
_TEXT_MAX = 500


class RequestError(Exception):
    """A request that cannot be served as it is."""

    def __init__(
        self, message: str, *, status: int, code: str, remedy: str, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.remedy, self.retry_after_s = status, code, remedy, retry_after_s


def problem(
    request: HttpRequest,
    *,
    status: int,
    code: str,
    detail: str = "",
    category: str = REQUEST,
    recovery: str = CORRECT,
    remedy: str = "",
    faults: list[Fault] | None = None,
    retry_after_s: float | None = None,
) -> HttpResponse:
    """Return a problem as a response."""
    body = Problem(
        type=f"urn:dexsniper:problem:{code.lower()}",
        title=HTTPStatus(status).phrase,
        status=status,
        code=code,
        detail=detail[:_TEXT_MAX],
        category=category,
        recovery=recovery,
        remedy=remedy[:_TEXT_MAX],
        instance=request.path[:_TEXT_MAX],
        trace_id=current_trace(),
        faults=(faults or [])[:FAULTS_MAX],
    )
    response = JsonResponse(body.model_dump(mode="json"), status=status, content_type=MEDIA_TYPE)
    if retry_after_s is not None:
        response["Retry-After"] = str(max(1, math.ceil(retry_after_s)))
    if status == HTTPStatus.UNAUTHORIZED:
        response["WWW-Authenticate"] = 'Bearer realm="dexsniper"'
    return response


# -- one handler for each kind of error ---------------------------------------------------
def on_request_error(request: HttpRequest, error: RequestError) -> HttpResponse:
    """Answer what the request itself is refused for."""
    return problem(
        request,
        status=error.status,
        code=error.code,
        detail=str(error),
        recovery=CORRECT if error.retry_after_s is None else WAIT,
        remedy=error.remedy,
        retry_after_s=error.retry_after_s,
    )


def on_sniper_error(request: HttpRequest, error: SniperError) -> HttpResponse:
    """Answer one of our own errors, with its own remedy; a refused configuration names every field."""
    faults = []
    if isinstance(error, ConfigRefusedError):
        faults = [
            Fault(where=item.path, message=item.message[:_TEXT_MAX], kind="config") for item in error.faults
        ]
    return problem(
        request,
        status=status_of(error, method=request.method or "GET"),
        code=error.code,
        detail=str(error),
        category=error.category.value,
        recovery=error.recovery.value,
        remedy=error.remedy,
        faults=faults,
    )


def on_invalid(request: HttpRequest, error: ninja.errors.ValidationError) -> HttpResponse:
    """Answer a request that does not fit its schema, naming every fault."""
    faults = [
        Fault(
            where=".".join(str(part) for part in item.get("loc", ()))[:200],
            message=str(item.get("msg", ""))[:_TEXT_MAX],
            kind=str(item.get("type", ""))[:60],
        )
        for item in error.errors
    ]
    return problem(
        request,
        status=422,
        code="INVALID_REQUEST",
        detail="The request does not fit its schema.",
        remedy=f"Mend what faults names; {reverse('api:docs')} describes every operation.",
        faults=faults,
    )


def on_unauthenticated(request: HttpRequest, _: Exception) -> HttpResponse:
    """Answer whoever is nobody."""
    return problem(
        request,
        status=401,
        code="UNAUTHENTICATED",
        detail="No valid token was presented, and nobody is signed in.",
        recovery=AUTHORISE,
        remedy="Send 'Authorization: Bearer <token>'; tokens are made on the page API tokens.",
    )


def on_forbidden(request: HttpRequest, error: Exception) -> HttpResponse:
    """Answer whoever may not."""
    if isinstance(error, SecondFactorNeeded):
        return problem(
            request,
            status=403,
            code="SECOND_FACTOR_NEEDED",
            detail=str(error),
            recovery=AUTHORISE,
            remedy="Give it on the pages and try again, or make a new token once you have given it.",
        )
    return problem(
        request,
        status=403,
        code="FORBIDDEN",
        detail=str(error) or "This needs a permission that you do not have.",
        recovery=AUTHORISE,
        remedy="Ask who administers this installation, or use a token with the scope.",
    )


def on_missing(request: HttpRequest, _: Exception) -> HttpResponse:
    """Answer a question for something that is not there."""
    return problem(
        request,
        status=404,
        code="NOT_FOUND",
        detail="There is no such thing.",
        remedy="Look at the address; lists tell which ids there are.",
    )


def on_http_error(request: HttpRequest, error: ninja.errors.HttpError) -> HttpResponse:
    """Answer what ninja itself refuses: a body that is no JSON."""
    return problem(
        request,
        status=error.status_code,
        code="BAD_REQUEST" if error.status_code == 400 else HTTPStatus(error.status_code).name,
        detail=str(error),
        remedy="Mend the request; the documentation describes every operation.",
    )


def on_unexpected(request: HttpRequest, error: Exception) -> HttpResponse:
    """Answer what nobody foresaw with its trace and nothing of its inside; the log has the rest."""
    logger.error("request to the API failed", exc_info=error, extra={"path": request.path})
    return problem(
        request,
        status=500,
        code="UNEXPECTED",
        detail="",
        category=Category.SYSTEM.value,
        recovery=REPORT,
        remedy="Look for the trace id in the log of the web process, and report it.",
    )


def not_allowed(request: HttpRequest, allowed: str) -> HttpResponse:
    """Answer a method that an address does not know."""
    response = problem(
        request,
        status=405,
        code="METHOD_NOT_ALLOWED",
        detail=f"{request.method} is not possible here.",
        remedy=f"Use {allowed}.",
    )
    response["Allow"] = allowed
    return response


HANDLERS: dict[type[Exception], Any] = {
    RequestError: on_request_error,
    SniperError: on_sniper_error,
    ninja.errors.ValidationError: on_invalid,
    ninja.errors.AuthenticationError: on_unauthenticated,
    PermissionDenied: on_forbidden,
    Http404: on_missing,
    ninja.errors.HttpError: on_http_error,
    Exception: on_unexpected,
}
