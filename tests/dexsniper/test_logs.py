"""No secret reaches a log."""

from __future__ import annotations

import json
import logging

import pytest

from apps.state.logic.redaction import redact, redacted
from dexsniper.logs import JsonFormatter, LineFormatter

_SECRETS = (
    ("password=hunter2", "hunter2"),
    ("postgres://user:sesame@host/db", "sesame"),
    ("Authorization: Bearer abc.def-ghi", "abc.def-ghi"),
    ('{"private_key": "0xdeadbeef"}', "0xdeadbeef"),
    ("raw 0x" + "ab" * 120, "ab" * 120),
    ("the key is 0x" + "c0ffee11" * 8, "c0ffee11"),
    ("imported " + "c0ffee11" * 8, "c0ffee11"),
    ("https://mainnet.infura.io/v3/9aa3d95b3bc440fa88ea12eaa4456161 does not answer", "9aa3d95b3b"),
    ("wss://eth-mainnet.g.alchemy.com/v2/oKxs-03sij-U_N0iOlrSsZFr29-IqbuF", "oKxs-03sij"),
    ("https://rpc.example.org/?apikey=short1", "short1"),
    ("https://rpc.example.org/path?x=1&project=abc", "abc"),
    ("wss://user:sesame1@rpc.example.org/ws", "sesame1"),
    ("https://api.telegram.org/bot110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw/getMe", "AAHdqTcvCH"),
    ("https://discord.com/api/webhooks/1234567890/AbCdEfGhIjKlMnOpQrStUvWxYz012345", "AbCdEfGhIj"),
    ("Authorization: Token 0123456789abcdef", "0123456789abcdef"),
)


@pytest.mark.parametrize(("text", "secret"), _SECRETS)
def test_secret_in_text_then_blacked_out(text: str, secret: str) -> None:
    assert secret not in redact(text)


@pytest.mark.parametrize("formatter", [LineFormatter("%(message)s"), JsonFormatter()])
@pytest.mark.parametrize(("text", "secret"), _SECRETS)
def test_secret_in_message_field_or_exception_then_blacked_out(
    formatter: logging.Formatter, text: str, secret: str
) -> None:
    try:
        raise ValueError(text)
    except ValueError as error:
        record = logging.LogRecord(
            "x", logging.ERROR, "f", 1, text, None, (type(error), error, error.__traceback__)
        )
    record.field = text
    assert secret not in formatter.format(record)


def test_transaction_hash_is_kept() -> None:
    tx_hash = "0x" + "12" * 32
    assert tx_hash in redact(f"hash {tx_hash}")


def test_what_people_need_is_kept() -> None:
    for text in (
        "https://api.dexscreener.com/latest/dex/tokens/0x" + "ab" * 20,
        "https://basescan.org/tx/0x" + "12" * 32,
        "http://127.0.0.1:18545/ answers in 3 ms",
        "block 0x" + "34" * 32 + " replaces 0x" + "56" * 32,
    ):
        assert redact(text) == text


def test_payload_when_a_key_lies_deep_in_it_then_blacked_out() -> None:
    payload = {"diff": {"url": ["", "https://rpc.example.org/v2/0123456789abcdef0123"]}, "count": 3}
    assert redacted(payload) == {"diff": {"url": ["", "https://rpc.example.org/v2/***"]}, "count": 3}


def test_json_line_has_message_and_fields() -> None:
    record = logging.LogRecord("x", logging.INFO, "f", 1, "order submitted", None, None)
    record.order = 7
    assert json.loads(JsonFormatter().format(record)) | {"at": ""} == {
        "at": "",
        "level": "INFO",
        "logger": "x",
        "message": "order submitted",
        "order": "7",
    }
