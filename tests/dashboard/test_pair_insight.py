"""The sentences about a pair's analysis on its page."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from tests.dashboard import market
from tests.dashboard.test_pages import text_of

pytestmark = pytest.mark.django_db


def test_pair_when_analysed_then_its_page_says_what_stands_out_and_what_is_missing(viewer: Any) -> None:
    market.installation()
    text = text_of(viewer.get(reverse("dashboard:pair", args=[market.pair().pk])))
    assert "100 % of its liquidity can be taken out at once" in text
    assert "Not known: " in text
    assert "concert among buyers" in text
