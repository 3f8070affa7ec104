"""Which outside services there are, by the names that the environment uses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from apps.domain.opinion import OpinionSource
from apps.intelligence.sources.reputation.goplus import GoPlusSource
from apps.intelligence.sources.reputation.honeypot_is import HoneypotIsSource
from apps.intelligence.sources.reputation.rugcheck import RugCheckSource


class OpinionSettings(Protocol):
    """What of the environment concerns outside services; ``settings.ENV`` has it all."""

    @property
    def opinion_sources(self) -> tuple[str, ...]:
        """Return the names of the services that are asked."""

    @property
    def goplus_url(self) -> str:
        """Return where GoPlus is."""

    @property
    def honeypot_is_url(self) -> str:
        """Return where honeypot.is is."""

    @property
    def honeypot_is_key(self) -> str:
        """Return the key for honeypot.is, "" without one."""

    @property
    def rugcheck_url(self) -> str:
        """Return where RugCheck is."""

    @property
    def rugcheck_key(self) -> str:
        """Return the key for RugCheck, "" without one."""


def opinion_sources(env: OpinionSettings) -> Mapping[str, OpinionSource]:
    """Return the configured services by name, each built anew: keep them, they count their requests."""
    known: Mapping[str, OpinionSource] = {
        "goplus": GoPlusSource(base_url=env.goplus_url),
        "honeypot_is": HoneypotIsSource(base_url=env.honeypot_is_url, api_key=env.honeypot_is_key),
        "rugcheck": RugCheckSource(base_url=env.rugcheck_url, api_key=env.rugcheck_key),
    }
    return {name: known[name] for name in env.opinion_sources}
