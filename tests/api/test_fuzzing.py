"""Requests that are drawn from the API's own description, sensible and senseless: none breaks it, all answers fit.

The gate draws a few for each operation, always the same. More, and others each time: API_FUZZ_EXAMPLES=300.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as drawing
from schemathesis.checks import not_a_server_error
from schemathesis.openapi import from_dict
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from apps.api.assembly import description
from apps.api.services.tokens import token_create
from tests.factories import UserFactory

EXAMPLES = int(os.environ.get("API_FUZZ_EXAMPLES", "4"))
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.fixture
def schema(life, settings) -> Iterator[Any]:
    """Return the description with an application behind it that lets everything be asked."""
    settings.API_PER_MINUTE = dict.fromkeys(settings.API_PER_MINUTE, 10**9)
    _, token = token_create(
        user=UserFactory(admin=True),
        name="fuzz",
        scopes=["read", "trade", "operate", "configure"],
        by="test",
    )
    found = from_dict(description())
    found.app = get_wsgi_application()
    found.config.update(headers={"Authorization": f"Bearer {token}"})
    # The test's own transaction outlives each request.
    for moment in (request_started, request_finished):
        moment.disconnect(close_old_connections)
    yield found
    for moment in (request_started, request_finished):
        moment.connect(close_old_connections)


@pytest.mark.timeout(3_000 if EXAMPLES > 50 else 120)
def test_any_request_when_drawn_from_the_description_then_answered_as_described(schema) -> None:
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) == len([method for found in description()["paths"].values() for method in found])
    for operation in operations:
        _try(operation)


def _try(operation: Any) -> None:
    @given(case=operation.as_strategy(generation_mode=schemathesis.GenerationMode.POSITIVE))
    @drawing(
        max_examples=EXAMPLES,
        derandomize=EXAMPLES < 50,
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    def answered(case: Any) -> None:
        case.call_and_validate(checks=CHECKS)

    answered()
