"""Every model has a factory that makes rows the database takes."""

from __future__ import annotations

import pytest
from django.apps import apps
from factory.django import DjangoModelFactory

from tests import factories

FACTORIES = [
    item
    for item in vars(factories).values()
    if isinstance(item, type) and issubclass(item, DjangoModelFactory)
]
FACTORIES = [item for item in FACTORIES if item is not DjangoModelFactory]


@pytest.mark.django_db
@pytest.mark.parametrize("row_factory", FACTORIES, ids=lambda item: item.__name__)
def test_factory_when_called_twice_then_database_takes_the_rows(
    row_factory: type[DjangoModelFactory],
) -> None:
    is_single = row_factory in (factories.ConfigRevisionFactory, factories.SandboxRunFactory)
    for _ in range(1 if is_single or row_factory is factories.StreamCursorFactory else 2):
        row_factory().refresh_from_db()  # type: ignore[attr-defined]  # what it makes is a row


def test_factories_when_listed_then_every_model_of_ours_has_one() -> None:
    ours = {
        model
        for config in apps.get_app_configs()
        if config.name.startswith("apps.")
        for model in config.get_models()
    }
    assert ours <= {item._meta.model for item in FACTORIES}
