"""A webhook of the user's own: JSON, signed, so that the other side knows it comes from here and is not old.

Headers: ``X-Dexsniper-Delivery`` is the delivery's number (the same again when it is repeated), ``X-Dexsniper-Timestamp``
seconds since 1970, ``X-Dexsniper-Signature`` is ``sha256=`` and the HMAC-SHA256, in hex, of ``<timestamp>.<body>`` with the
secret. Any status from 200 to 299 is a receipt.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time

from apps.alerts.logic.notices import Notice, webhook_fields
from apps.alerts.transports.http import TellingHttp

_REMEDY = "The webhook's own log should say why: docs/alerts.md, webhook."


def signature_of(*, secret: str, timestamp: str, body: bytes) -> str:
    """Return what stands in the signature's header."""
    digest = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256)
    return f"sha256={digest.hexdigest()}"


class WebhookTransport:
    """Tells one address."""

    name = "webhook"

    def __init__(self, *, url: str, secret: str) -> None:
        self._http, self._secret = TellingHttp(name="The webhook", url=url), secret

    def send(self, notice: Notice) -> str:
        """Post the signed notice."""
        body = json.dumps(webhook_fields(notice), sort_keys=True).encode()
        timestamp = str(int(time.time()))
        answer = self._http.ask(
            "POST",
            body=body,
            headers={
                "X-Dexsniper-Delivery": str(notice.number),
                "X-Dexsniper-Timestamp": timestamp,
                "X-Dexsniper-Signature": signature_of(secret=self._secret, timestamp=timestamp, body=body),
            },
        )
        self._http.refuse(answer, remedy=_REMEDY)
        return ""

    def check(self) -> str:
        """Knock without telling anything: any answer shows that somebody listens."""
        answer = self._http.ask("HEAD")
        return f"answers (status {answer.status})"
