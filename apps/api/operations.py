"""How an operation is declared: its permission, its answer, and, where something changes, its idempotency key."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, JsonResponse
from ninja import Router
from ninja.responses import NinjaJSONEncoder
from pydantic import BaseModel

from apps.api.authentication import caller_of
from apps.api.problems import RequestError
from apps.api.schemas.base import Problem
from apps.api.scopes import scope_of
from apps.api.services.idempotency import (
    KEY_PATTERN,
    Kept,
    act_once,
    fingerprint,
    is_key,
    kept_answer,
)
from apps.state.permissions import require

Handler = Callable[..., Any]
KEY_HEADER: Final = "Idempotency-Key"
REPLAYED_HEADER: Final = "Idempotent-Replayed"
#: What every operation may be answered beside its own.
PROBLEMS: Final = dict.fromkeys((400, 401, 403, 404, 409, 422, 429, 500, 502, 503), Problem)
_KEY_PARAMETER: Final[dict[str, Any]] = {
    "in": "header",
    "name": KEY_HEADER,
    "schema": {"type": "string", "pattern": KEY_PATTERN},
    "description": "Any text of your own choice, new for each intention. The same key with the same request returns"
    " the same answer for 24 hours and has one effect; with another request it is refused.",
}


def reads(router: Router, path: str, *, permission: str, answers: Any) -> Callable[[Handler], Handler]:
    """Declare an operation that only reads."""

    def declare(handler: Handler) -> Handler:
        @wraps(handler)
        def guarded(request: HttpRequest, **values: Any) -> Any:
            _require(request, permission)
            return handler(request, **values)

        return _declared(router.get, path, handler, guarded, permission=permission, answers=answers)

    return declare


def acts(
    router: Router, path: str, *, permission: str, answers: Any, is_urgent: bool = False
) -> Callable[[Handler], Handler]:
    """Declare an operation that changes something, once for each idempotency key.

    ``is_urgent``: it acts each time it is asked, with a known key, a senseless one or none, and waits for nothing.
    """
    do = _at_once if is_urgent else _once

    def declare(handler: Handler) -> Handler:
        @wraps(handler)
        def guarded(request: HttpRequest, **values: Any) -> Any:
            _require(request, permission)
            return do(request, lambda: handler(request, **values))

        parameters = [] if is_urgent else [{**_KEY_PARAMETER, "required": True}]
        return _declared(
            router.post,
            path,
            handler,
            guarded,
            permission=permission,
            answers=answers,
            extra={"parameters": parameters},
        )

    return declare


def _declared(
    declare: Callable[..., Any],
    path: str,
    handler: Handler,
    guarded: Handler,
    *,
    permission: str,
    answers: Any,
    extra: dict[str, Any] | None = None,
) -> Handler:
    # Annotations are text in the handler's own module: ninja would look them up in this one.
    guarded.__signature__ = inspect.signature(handler, eval_str=True)  # type: ignore[attr-defined]
    words = inspect.getdoc(handler) or ""
    declare(
        path,
        response={200: answers, **PROBLEMS},
        operation_id=handler.__name__,
        url_name=handler.__name__,
        summary=words.split("\n", 1)[0],
        description=words,
        openapi_extra={"x-permission": permission, "x-scope": scope_of(permission), **(extra or {})},
    )(guarded)
    return guarded


def _require(request: HttpRequest, permission: str) -> None:
    caller = caller_of(request)
    scope = scope_of(permission)
    if caller.token is not None and scope not in caller.token.scopes:
        raise PermissionDenied(f"This token has not the scope {scope}.")
    require(caller.user, permission)


# -- once only ----------------------------------------------------------------------------
def _once(request: HttpRequest, act: Callable[[], BaseModel]) -> Any:
    key, print_ = _key_of(request), _print_of(request)
    user_id = caller_of(request).user.pk
    kept = kept_answer(user_id=user_id, key=key, print_=print_)
    if kept is not None:
        return _replayed(kept)
    found = act_once(user_id=user_id, key=key, print_=print_, act=lambda: (200, _json(act())))
    return _replayed(found) if isinstance(found, Kept) else JsonResponse(found[1], status=found[0])


def _at_once(request: HttpRequest, act: Callable[[], BaseModel]) -> Any:
    """Act, whatever was answered before: the engine may have been started since. No key is read and none is kept."""
    return JsonResponse(_json(act()))


def _json(answer: BaseModel) -> Any:
    return json.loads(json.dumps(answer.model_dump(), cls=NinjaJSONEncoder))  # as what is read is told


def _key_of(request: HttpRequest) -> str:
    key = request.headers.get(KEY_HEADER, "")
    if is_key(key):
        return key
    raise RequestError(
        f"The header {KEY_HEADER} is missing, or is not 1 to 100 printable signs without spaces.",
        status=400,
        code="IDEMPOTENCY_KEY_MISSING",
        remedy=f"Send {KEY_HEADER} with a text that is new for each intention, such as a UUID.",
    )


def _print_of(request: HttpRequest) -> str:
    return fingerprint(method=request.method or "", address=request.get_full_path(), body=request.body)


def _replayed(kept: Kept) -> JsonResponse:
    if not kept.is_same:
        raise RequestError(
            "This idempotency key belongs to another request.",
            status=422,
            code="IDEMPOTENCY_KEY_REUSED",
            remedy="Choose a new key for a new intention.",
        )
    response = JsonResponse(kept.answer, status=kept.status)
    response[REPLAYED_HEADER] = "true"
    return response


def request_key(request: HttpRequest) -> str:
    """Return the caller's key as orders keep it: two users never share one."""
    return f"api:{caller_of(request).user.pk}:{_print_key(request)}"


def _print_key(request: HttpRequest) -> str:
    return fingerprint(method="KEY", address=request.headers.get(KEY_HEADER, ""), body=b"")[:40]
