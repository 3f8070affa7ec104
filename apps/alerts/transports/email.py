"""E-mail through the mail server of the settings."""

from __future__ import annotations

import smtplib
from collections.abc import Sequence
from email.utils import make_msgid

from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.smtp import EmailBackend

from apps.alerts.logic.notices import Notice, mail
from apps.alerts.transports.port import DeliveryFailedError, DeliveryRefusedError

_REMEDY = "Check server, user, password and addresses: docs/alerts.md, e-mail."
#: Codes from here on are final; below them the server asks to come again (greylisting).
_FINAL_FROM = 500


class EmailTransport:
    """Writes to the configured people. A repeat has the same Message-ID, by which mail programs drop it."""

    name = "email"

    def __init__(self, *, sender: str, recipients: Sequence[str], domain: str = "dexsniper.invalid") -> None:
        self._sender, self._recipients, self._domain = sender, list(recipients), domain

    def send(self, notice: Notice) -> str:
        """Send one message to all."""
        written = mail(notice)
        identity = f"<dexsniper-{notice.mode}-{notice.at_ms}-{notice.number}@{self._domain}>"
        message = EmailMessage(
            subject=written.subject,
            body=written.body,
            from_email=self._sender,
            to=self._recipients,
            headers={"Message-ID": identity if notice.number else make_msgid(domain=self._domain)},
        )
        try:
            message.send()
        except (smtplib.SMTPException, OSError) as error:
            raise _translated(error) from None
        return identity[:100]

    def check(self) -> str:
        """Sign in and leave again."""
        connection = get_connection()
        try:
            connection.open()
            if isinstance(connection, EmailBackend) and connection.connection is not None:
                connection.connection.noop()
        except (smtplib.SMTPException, OSError) as error:
            raise _translated(error) from None
        finally:
            connection.close()
        return "answers"


def _translated(error: smtplib.SMTPException | OSError) -> DeliveryFailedError | DeliveryRefusedError:
    """Return the error in our words; the library's own can hold addresses."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = [code for code, _ in error.recipients.values()]
    else:
        codes = [error.smtp_code] if isinstance(error, smtplib.SMTPResponseException) else []
    what = f"{type(error).__name__} {codes[0]}" if codes else type(error).__name__
    if codes and min(codes) >= _FINAL_FROM:
        return DeliveryRefusedError(f"The mail server refuses ({what})", remedy=_REMEDY)
    return DeliveryFailedError(f"The mail server did not take it ({what})", remedy=_REMEDY)
