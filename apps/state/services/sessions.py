"""Whose a session is, asked anew: what stays open longer than a request must not outlive its session."""

from __future__ import annotations

from importlib import import_module
from types import SimpleNamespace
from typing import Any, cast

from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest


def session_user(key: str) -> Any:
    """Return the user who is signed in with this session: nobody (anonymous) once it ended, ran out, or the password was
    changed."""
    session = import_module(settings.SESSION_ENGINE).SessionStore(session_key=key)
    return get_user(cast(HttpRequest, SimpleNamespace(session=session)))
