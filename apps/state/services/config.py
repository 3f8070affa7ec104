"""The trading configuration: append-only revisions, one of them active."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from pydantic import ValidationError

from apps.domain.config import TradingConfig
from apps.domain.errors import ConfigurationError
from apps.domain.events import EventKind
from apps.state.durability import durable_transaction
from apps.state.logic.config_faults import ConfigFault, config_diff, faults_of, merged
from apps.state.models import ConfigRevision
from apps.state.services.events import cut, event_record

REASON_LENGTH_MAX = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveConfig:
    """The configuration in force and the revision that verdicts and decisions keep."""

    revision: int
    config: TradingConfig


class ConfigRefusedError(ConfigurationError):
    """A proposed configuration breaks its own rules; ``faults`` names each field."""

    code = "CONFIG_REFUSED"

    def __init__(self, faults: tuple[ConfigFault, ...]) -> None:
        self.faults = faults
        super().__init__(
            "The configuration is not usable: "
            + "; ".join(f"{item.path}: {item.message}" for item in faults),
            remedy="; ".join(dict.fromkeys(item.remedy for item in faults if item.remedy)),
        )


def active_config() -> ActiveConfig:
    """Return the active configuration, read directly. Raises ConfigurationError before the first start."""
    row = ConfigRevision.objects.filter(is_active=True).values_list("number", "payload").first()
    if row is None:
        raise ConfigurationError(
            "There is no active configuration.",
            remedy="Run `manage.py up` or `manage.py engine status` once.",
        )
    number, payload = row
    try:
        return ActiveConfig(revision=number, config=TradingConfig.model_validate(payload))
    except ValidationError as error:
        raise ConfigRefusedError(faults_of(error)) from error


def config_validated(payload: Mapping[str, Any]) -> TradingConfig:
    """Return the configuration in ``payload``. Raises ConfigRefusedError naming every fault at once."""
    try:
        return TradingConfig.model_validate(payload)
    except ValidationError as error:
        raise ConfigRefusedError(faults_of(error)) from error


def config_change(*, payload: dict[str, Any], by: str, reason: str) -> int:
    """Make a new active revision and return its number; what ``payload`` does not name keeps its present value.

    An unchanged configuration makes no revision. Raises ConfigRefusedError.
    """
    with durable_transaction():
        before = ConfigRevision.objects.select_for_update().get(is_active=True)
        config = config_validated(merged(before.payload, payload))
        after = config.model_dump(mode="json")
        diff = config_diff(before.payload, after)
        if not diff:
            return before.number
        ConfigRevision.objects.filter(pk=before.pk).update(is_active=False)
        latest = ConfigRevision.objects.order_by("-number").values_list("number", flat=True).first()
        assert latest is not None
        return _revision_add(number=latest + 1, payload=after, by=by, reason=reason, diff=diff)


def config_first(*, config: TradingConfig, by: str, reason: str) -> None:
    """Make revision 1 where there is none yet; called at the first start."""
    with durable_transaction():
        if not ConfigRevision.objects.exists():
            _revision_add(number=1, payload=config.model_dump(mode="json"), by=by, reason=reason, diff={})


def _revision_add(
    *, number: int, payload: dict[str, Any], by: str, reason: str, diff: dict[str, list[Any]]
) -> int:
    ConfigRevision.objects.create(
        number=number,
        payload=payload,
        reason=cut(reason, REASON_LENGTH_MAX),
        created_by=cut(by, 150),
        created_at=timezone.now(),
        is_active=True,
    )
    changed = ", ".join(f"{path} {old} → {new}" for path, (old, new) in diff.items())
    event_record(
        kind=EventKind.CONFIG_CHANGED,
        summary=f"Configuration revision {number}: {changed or 'defaults'}",
        actor=by,
        subject=f"config:{number}",
        payload={"revision": number, "reason": reason, "diff": diff},
    )
    return number
