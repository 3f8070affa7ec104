"""What the doctor says of the places where people talk."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from apps.intelligence.models import SocialSourceState
from dexsniper.health.social import social


@pytest.mark.django_db
def test_sources_in_any_state_then_told_apart(settings: Any) -> None:
    assert [check.detail for check in social(settings.ENV)] == ["none was read yet"]
    now = timezone.now()
    for name, state in (("discord", "not_configured"), ("telegram", "up"), ("x", "blocked")):
        SocialSourceState.objects.create(source=name, state=state, reason="because", since=now)
    checks = list(social(settings.ENV))
    assert [(check.name, check.level) for check in checks] == [
        ("discord", "ok"),
        ("telegram", "ok"),
        ("x", "warning"),
    ]
    assert "because" in checks[2].detail
