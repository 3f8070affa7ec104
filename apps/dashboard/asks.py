"""What a page shows: its view, the thing it is about, and its filters. The socket is told the same as the view."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

#: Filters a page may carry in its address; whatever else stands there is not ours.
FILTERS: Final = ("tab", "chain", "source", "code", "side", "sort", "q", "feed", "period", "page")
FILTER_LENGTH_MAX: Final = 100
KEY_LENGTH_MAX: Final = 64
PAGE_MAX: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One page's question. ``key`` is an id or a trace id, "" for lists; ``filters`` are in the order of FILTERS."""

    view: str
    key: str = ""
    filters: tuple[tuple[str, str], ...] = ()

    def get(self, name: str, default: str = "") -> str:
        """Return a filter's value."""
        return dict(self.filters).get(name, default)

    @property
    def page(self) -> int:
        """Return the number of the list's page, 1 when it is missing or senseless."""
        given = self.get("page")
        number = int(given) if given.isascii() and given.isdigit() and len(given) <= 6 else 1
        return max(1, min(number, PAGE_MAX))

    @property
    def number(self) -> int:
        """Return the key as a row's id, 0 when it is none: no row has that."""
        return int(self.key) if self.key.isascii() and self.key.isdigit() and len(self.key) <= 18 else 0

    @property
    def query(self) -> str:
        """Return everything as a query string, for the panels' addresses and the socket's."""
        parts = [("view", self.view), *([("key", self.key)] if self.key else []), *self.filters]
        return urlencode(parts)


def ask_of(given: Mapping[str, str], *, view: str = "", key: str = "") -> Ask:
    """Return the ask in an address's query; ``view`` and ``key`` stand in it too when they are not given."""
    filters = tuple(
        (name, given.get(name, "")[:FILTER_LENGTH_MAX]) for name in FILTERS if given.get(name, "")
    )
    return Ask(
        view=view or given.get("view", "")[:KEY_LENGTH_MAX],
        key=key or given.get("key", "")[:KEY_LENGTH_MAX],
        filters=filters,
    )
