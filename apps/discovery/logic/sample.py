"""Foreign text made fit to be stored and shown."""

from __future__ import annotations

#: Samples longer than this are cut: enough for a person to see what arrived.
SAMPLE_LENGTH_MAX = 4_000


def printable_sample(text: str, *, length_max: int = SAMPLE_LENGTH_MAX) -> str:
    """Return ``text`` with every control, direction and other unprintable character escaped, at most so long."""
    cut = text[:length_max]
    shown = "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in cut
    )
    return shown if len(text) <= length_max and len(shown) <= length_max else shown[: length_max - 1] + "…"
