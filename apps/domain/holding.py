"""What is asked about a token that we hold, block by block."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldingQuestion:
    """One token in one wallet: whether ``amount_raw`` of it could be moved into ``pool`` now, and who owns the token."""

    token: str
    pool: str
    holder: str
    amount_raw: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldingAnswer:
    """``owner`` is lower case, "" when ownership was given up; None: unknown. ``is_movable`` None: unknown.

    ``why`` is what the token said when it refused, cleaned and bounded.
    """

    owner: str | None
    is_movable: bool | None
    why: str = ""


class HoldingReader(Protocol):
    """Looks at held tokens cheaply enough to do it in every block. Raises NetworkError."""

    def look(self, questions: Sequence[HoldingQuestion]) -> Mapping[str, HoldingAnswer]:
        """Return answers by token as given, all asked in one batch; what was not understood is unknown."""

    def stirred(self, tokens: Sequence[str], *, first_block: int, last_block: int) -> Mapping[str, str]:
        """Return the tokens of which something else than a transfer happened in these blocks, and what in plain words."""
