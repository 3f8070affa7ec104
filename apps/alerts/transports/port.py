"""What every way of telling offers, and how it fails."""

from __future__ import annotations

from typing import Protocol

from apps.alerts.logic.notices import Notice
from apps.domain.errors import NetworkError, Recovery


class DeliveryRefusedError(NetworkError):
    """The other side refuses the message, our key or our address: trying again alone does not mend it."""

    recovery, code = Recovery.SKIP, "ALERT_REFUSED"


class DeliveryFailedError(NetworkError):
    """The other side did not take the message now. ``rest_s``: what it asks us to wait."""

    code = "ALERT_NOT_DELIVERED"

    def __init__(self, message: str, *, remedy: str = "", rest_s: int | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.rest_s = rest_s


class Transport(Protocol):
    """One way of telling. Made once a process."""

    name: str

    def send(self, notice: Notice) -> str:
        """Deliver and return the other side's own number of it, "" where it gives none.

        Raises DeliveryFailedError, DeliveryRefusedError.
        """

    def check(self) -> str:
        """Return in words that it answers, without telling anybody anything. Raises as ``send``."""
