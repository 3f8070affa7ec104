"""The trace id of what is being done now, in a context variable and in every log line; and who does it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_current: ContextVar[str] = ContextVar("trace_id", default="")
_actor: ContextVar[Callable[[], str] | None] = ContextVar("actor", default=None)


@contextmanager
def bind_trace(trace_id: str) -> Iterator[None]:
    """Bind ``trace_id`` to everything logged and recorded within the block, threads of asyncio tasks included."""
    token = _current.set(trace_id)
    try:
        yield
    finally:
        _current.reset(token)


def current_trace() -> str:
    """Return the bound trace id, or "" outside of any trace."""
    return _current.get()


@contextmanager
def bind_actor(name: Callable[[], str]) -> Iterator[None]:
    """Bind whoever acts within the block; ``name`` is asked when something is recorded."""
    token = _actor.set(name)
    try:
        yield
    finally:
        _actor.reset(token)


def current_actor() -> str:
    """Return the name of the person who acts, or "" where none does."""
    name = _actor.get()
    return "" if name is None else name()


class TraceFilter(logging.Filter):
    """Add ``trace_id`` to each record made within a trace."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let the record pass, with its trace id as a field."""
        trace_id = _current.get()
        if trace_id and not hasattr(record, "trace_id"):
            record.trace_id = trace_id
        return True


def install_filter() -> None:
    """Add the filter to the handlers of the root logger, once each."""
    for handler in logging.getLogger().handlers:
        if not any(isinstance(item, TraceFilter) for item in handler.filters):
            handler.addFilter(TraceFilter())
