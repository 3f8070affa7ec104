"""Who asks: a token's bearer, or whoever is signed in on the pages (with a CSRF token where something changes)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError
from django.http import HttpRequest
from ninja.errors import AuthenticationError
from ninja.security import APIKeyCookie, HttpBearer
from ninja.utils import check_csrf

from apps.api.limits import KILL_PATH, refusal_count
from apps.api.models import ApiToken
from apps.api.scopes import scopes_permit
from apps.api.services.tokens import token_found, token_used
from apps.state.permissions import may
from apps.state.services.second_factor import is_given, vouch


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Whoever asks. What a token permits is never more than what its user may do."""

    user: Any
    token: ApiToken | None = None

    def has_perm(self, perm: str) -> bool:
        """Tell whether token and user have the permission."""
        return (self.token is None or scopes_permit(self.token.scopes, perm)) and may(self.user, perm)

    @property
    def is_vouched(self) -> bool:
        """Tell whether the second factor stands behind this caller."""
        return is_given(self.user)

    @property
    def pk(self) -> int:
        """Return the user's id."""
        return int(self.user.pk)

    def get_username(self) -> str:
        """Return the user's name."""
        return str(self.user.get_username())

    @property
    def key(self) -> str:
        """Return what requests are counted under."""
        return f"user:{self.user.pk}" if self.token is None else f"token:{self.token.pk}"


class BearerToken(HttpBearer):
    """``Authorization: Bearer <token>``. A wrong one is refused, even where somebody is signed in."""

    def authenticate(self, request: HttpRequest, token: str) -> Caller:
        """Return the bearer. Raises AuthenticationError, RequestError after too many wrong ones."""
        found = token_found(token)
        if found is None:
            refusal_count(request)
            raise AuthenticationError
        if not request.path.endswith(KILL_PATH):  # a kill waits for no lock
            try:
                token_used(found)
            except DatabaseError:  # a busy database: the request itself may only read
                pass
        if found.is_vouched:
            vouch(found.user)
        # What the request records is this person's; whoever else is signed in in this browser counts no more.
        request.user = found.user
        return Caller(user=found.user, token=found)


class SignedIn(APIKeyCookie):
    """The pages' session."""

    param_name = settings.SESSION_COOKIE_NAME

    def __call__(self, request: HttpRequest) -> Caller | None:
        """Return whoever is signed in. Raises PermissionDenied without a valid CSRF token where one is needed."""
        if not request.user.is_authenticated:
            return None
        if check_csrf(request) is not None:
            raise PermissionDenied("The CSRF token is missing or wrong: send it as X-CSRFToken.")
        return Caller(user=request.user)

    def authenticate(self, request: HttpRequest, key: str | None) -> Caller | None:
        """Never called: the session was read by Django."""
        raise NotImplementedError


def caller_of(request: HttpRequest) -> Caller:
    """Return whoever asks."""
    caller = request.auth  # type: ignore[attr-defined]  # set by ninja
    assert isinstance(caller, Caller)
    return caller
