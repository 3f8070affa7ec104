"""The second factor: a code of six digits from a person's own device, or a recovery code that works once.

In live, whoever acts needs it. In other modes it is offered, and whoever has set it up needs it. Recovery codes are shown
once and kept as hashes; the device's secret stays in the database, for codes are made from it.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.dispatch import Signal
from django_otp import verify_token
from django_otp.models import Device
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from apps.domain.errors import ConfigurationError
from apps.domain.events import EventKind
from apps.state.services.events import event_record

RECOVERY_CODES: Final = 10
_CODE_BYTES: Final = 10  # 80 random bits: sixteen letters and digits
_CODE_GROUP: Final = 4
CODE_LENGTH_MAX: Final = 40
#: Sent with ``user``, in the transaction that takes the factor away: what stands for it must do so no more.
factor_removed: Final = Signal()
_DEVICE_NAME: Final = "authenticator"
_RECOVERY_NAME: Final = "recovery codes"


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorState:
    """How a person's second factor stands."""

    is_set_up: bool
    is_needed: bool  # for acting; looking and killing never need it
    codes_left: int


def is_needed(visitor: Any) -> bool:
    """Tell whether this person acts with a second factor alone."""
    return settings.ENV.mode == "live" or is_set_up(visitor)


def is_set_up(visitor: Any) -> bool:
    """Tell whether this person has set a second factor up."""
    pk = getattr(visitor, "pk", None)
    return pk is not None and TOTPDevice.objects.filter(user_id=pk, confirmed=True).exists()


def is_given(visitor: Any) -> bool:
    """Tell whether it was given in this session, or somebody vouches for the person."""
    if getattr(visitor, "is_vouched", False):
        return True
    verified = getattr(visitor, "is_verified", None)  # put there by django_otp's middleware
    return callable(verified) and bool(verified())


def is_missing(visitor: Any) -> bool:
    """Tell whether this person must give a second factor before acting."""
    return not is_given(visitor) and is_needed(visitor)


def vouch(user: Any) -> Any:
    """Return the user as one who has given the second factor: where a token or a paired chat stands for it.

    Only for what was made in a session that had given it, or by a command on this machine.
    """
    user.is_vouched = True
    return user


def factor_state(user: Any) -> FactorState:
    """Return how a person's second factor stands."""
    return FactorState(
        is_set_up=is_set_up(user),
        is_needed=is_needed(user),
        codes_left=StaticToken.objects.filter(device__user_id=user.pk).count(),
    )


# -- setting it up --------------------------------------------------------------------------


def set_up_begin(user: Any) -> TOTPDevice:
    """Return the device to be set up, made anew. Raises ConfigurationError when there is one already."""
    _refuse_second(user)
    TOTPDevice.objects.filter(user_id=user.pk, confirmed=False).delete()
    device: TOTPDevice = TOTPDevice.objects.create(user_id=user.pk, name=_DEVICE_NAME, confirmed=False)
    return device


def set_up_device(user: Any) -> TOTPDevice | None:
    """Return the device that is being set up."""
    return TOTPDevice.objects.filter(user_id=user.pk, confirmed=False).order_by("-pk").first()


def set_up_confirm(user: Any, *, code: str) -> tuple[Device, tuple[str, ...]] | None:
    """Confirm the device by its first code. Return it with the recovery codes, None when the code is wrong."""
    _refuse_second(user)
    device = set_up_device(user)
    if device is None or verify_token(user, device.persistent_id, _clean(code)) is None:
        return None
    with transaction.atomic():
        TOTPDevice.objects.filter(pk=device.pk).update(confirmed=True)
        codes = _codes_make(user)
        _access_record(user, "set up a second factor", by=user.get_username())
    device.refresh_from_db()
    return device, codes


def recovery_renew(user: Any) -> tuple[str, ...]:
    """Return new recovery codes; the old ones work no more."""
    with transaction.atomic():
        codes = _codes_make(user)
        _access_record(user, "made new recovery codes", by=user.get_username())
    return codes


def factor_remove(user: Any, *, by: str) -> bool:
    """Take a person's second factor away, and with it what stood for it. Return False when there was none."""
    with transaction.atomic():
        devices = TOTPDevice.objects.filter(user_id=user.pk)
        was_set_up = devices.filter(confirmed=True).exists()
        devices.delete()
        StaticDevice.objects.filter(user_id=user.pk).delete()
        if was_set_up:
            factor_removed.send(sender=type(user), user=user)
            _access_record(user, "has no second factor any more", by=by)
    return was_set_up


def _refuse_second(user: Any) -> None:
    if is_set_up(user):
        raise ConfigurationError(
            "A second factor is set up already.", remedy="Remove it first, with one of its codes."
        )


def _codes_make(user: Any) -> tuple[str, ...]:
    StaticDevice.objects.filter(user_id=user.pk).delete()
    device = StaticDevice.objects.create(user_id=user.pk, name=_RECOVERY_NAME, confirmed=True)
    codes = tuple(
        base64.b32encode(secrets.token_bytes(_CODE_BYTES)).decode().lower() for _ in range(RECOVERY_CODES)
    )
    StaticToken.objects.bulk_create(StaticToken(device=device, token=_digest(code)) for code in codes)
    return tuple("-".join(_groups(code)) for code in codes)


def _groups(code: str) -> Sequence[str]:
    return [code[at : at + _CODE_GROUP] for at in range(0, len(code), _CODE_GROUP)]


def _digest(code: str) -> str:
    """Return what is kept of a recovery code: 80 bits of its hash fill the column."""
    return base64.b32encode(hashlib.sha256(code.encode()).digest()[:_CODE_BYTES]).decode().lower()


# -- giving it ------------------------------------------------------------------------------


def factor_verify(user: Any, *, code: str, address: str = "") -> Device | None:
    """Return the device that knows this code, None when none does or after too many wrong ones. Recorded either way.

    Each code works once. After wrong ones a device refuses for one, two, four … seconds.
    """
    clean = _clean(code)
    is_digits = clean.isdigit()
    model: type[Device] = TOTPDevice if is_digits else StaticDevice
    found = None
    for device in model.objects.filter(user_id=user.pk, confirmed=True):
        found = verify_token(user, device.persistent_id, clean if is_digits else _digest(clean))
        if found is not None:
            break
    name = user.get_username()
    how = "a code" if is_digits else "a recovery code"
    event_record(
        kind=EventKind.LOGIN,
        summary=f"{name} gave the second factor, {how}"
        if found
        else f"A second factor of {name} was refused",
        actor=name,
        subject=f"user:{user.pk}",
        payload={"address": address, "recovery": not is_digits},
    )
    return found


def _clean(code: str) -> str:
    return "".join(
        letter for letter in code[:CODE_LENGTH_MAX].lower() if letter.isascii() and letter.isalnum()
    )


def _access_record(user: Any, words: str, *, by: str) -> None:
    event_record(
        kind=EventKind.ACCESS_CHANGED,
        summary=f"{user.get_username()} {words}",
        actor=by,
        subject=f"user:{user.pk}",
    )
