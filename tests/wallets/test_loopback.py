"""Addresses that pretend to lie on this machine are seen through."""

from __future__ import annotations

import pytest

from apps.wallets.loopback import are_loopback, is_loopback


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:1", True),
        ("ws://localhost:1", True),
        ("http://[::1]:1", True),
        ("http://127.9.9.9", True),
        ("http://localhost.evil.com", False),
        ("http://127.0.0.1.evil.com", False),
        ("http://127.0.0.1@evil.com", False),
        ("http://evil.com#127.0.0.1", False),
        ("http://10.0.0.1", False),
        ("https://mainnet.base.org", False),
        ("", False),
        ("http://[", False),
    ],
)
def test_loopback_when_asked_then_only_this_machine(url: str, expected: bool) -> None:
    assert is_loopback(url) is expected


@pytest.mark.parametrize(
    ("urls", "expected"),
    [
        (("http://127.0.0.1:1", "ws://127.0.0.1:1"), True),
        (("http://127.0.0.1:1", "https://mainnet.base.org"), False),
        ((), False),
    ],
)
def test_loopback_when_several_then_all_must_be(urls: tuple[str, ...], expected: bool) -> None:
    assert are_loopback(urls) is expected
