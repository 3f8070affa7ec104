from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from apps.discovery.logic.bucket import TokenBucket
from apps.discovery.sources import http
from apps.discovery.sources.http import FeedHttp
from apps.domain.errors import BadDataError, NetworkError, RateLimitedError
from tests.discovery.fakes import FeedServer, feed_server


class _Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def server() -> Iterator[FeedServer]:
    with feed_server() as state:
        yield state


def _bucket() -> TokenBucket:
    return TokenBucket(per_min=600, burst=100)


def test_get_when_answered_then_fractions_are_exact(server: FeedServer) -> None:
    server.tell("/a", b'{"price": 0.1, "big": 123456789012345678901234567890}')
    answer = FeedHttp(name="Feed", base_url=server.url).get("/a", bucket=_bucket())
    assert answer == {"price": Decimal("0.1"), "big": 123456789012345678901234567890}


def test_get_when_own_limit_is_reached_then_nothing_is_asked(server: FeedServer) -> None:
    server.tell("/a", [])
    client, bucket = (
        FeedHttp(name="Feed", base_url=server.url, clock=_Clock()),
        TokenBucket(per_min=1, burst=1),
    )
    assert client.get("/a", bucket=bucket) == []
    assert client.get("/a", bucket=bucket) is None
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("header", "rest_s"), [("7", 7), ("0", 1), ("999999", 600), ("soon", 30), (None, 30)]
)
def test_get_when_refused_for_pace_then_rests_as_told(
    server: FeedServer, header: str | None, rest_s: float
) -> None:
    clock = _Clock()
    client = FeedHttp(name="Feed", base_url=server.url, clock=clock)
    server.tell("/a", [], status=429, headers={} if header is None else {"Retry-After": header})
    with pytest.raises(RateLimitedError):
        client.get("/a", bucket=_bucket())
    server.tell("/a", [])
    clock.now += rest_s - 0.1
    with pytest.raises(RateLimitedError, match="more"):
        client.get("/a", bucket=_bucket())
    assert len(server.asked) == 1
    clock.now += 0.2
    assert client.get("/a", bucket=_bucket()) == []


def test_get_when_refused_again_without_a_time_then_rest_doubles(server: FeedServer) -> None:
    clock = _Clock()
    client = FeedHttp(name="Feed", base_url=server.url, clock=clock)
    server.tell("/a", [], status=429)
    for rest_s in (30, 60, 120, 240, 480, 600, 600):
        with pytest.raises(RateLimitedError, match=f"for {rest_s} s$"):
            client.get("/a", bucket=_bucket())
        clock.now += rest_s + 1


@pytest.mark.parametrize("status", [500, 502, 503])
def test_get_when_server_fails_then_network_error(server: FeedServer, status: int) -> None:
    server.tell("/a", b"oops", status=status)
    with pytest.raises(NetworkError, match=str(status)):
        FeedHttp(name="Feed", base_url=server.url).get("/a", bucket=_bucket())


@pytest.mark.parametrize("status", [301, 400, 404])
def test_get_when_address_is_wrong_then_bad_data_with_remedy(server: FeedServer, status: int) -> None:
    server.tell("/a", b"{}", status=status, headers={"Location": "http://127.0.0.1:1/"})
    with pytest.raises(BadDataError) as caught:
        FeedHttp(name="Feed", base_url=server.url).get("/a", bucket=_bucket())
    assert caught.value.remedy


def test_get_when_answer_is_huge_then_refused(server: FeedServer) -> None:
    server.tell("/a", b" " * (http.ANSWER_MAX_BYTES + 1))
    with pytest.raises(BadDataError, match="more than"):
        FeedHttp(name="Feed", base_url=server.url).get("/a", bucket=_bucket())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe\x00",
        b"{",
        b"Infinity",
        b"1" * 10_000,
        b"null",
        b"[" * 100_000,
        b'{"a":' * 70 + b"1" + b"}" * 70,
    ],
)
def test_get_when_not_json_then_bad_data(server: FeedServer, body: bytes) -> None:
    server.tell("/a", body)
    with pytest.raises(BadDataError, match="JSON"):
        FeedHttp(name="Feed", base_url=server.url).get("/a", bucket=_bucket())


def test_get_when_brackets_stand_in_text_then_they_do_not_nest(server: FeedServer) -> None:
    server.tell("/a", ["[" * 100 + '"{\\' + "{" * 100, "}"])
    answer = FeedHttp(name="Feed", base_url=server.url).get("/a", bucket=_bucket())
    assert answer == ["[" * 100 + '"{\\' + "{" * 100, "}"]


@pytest.mark.parametrize("number", [b"1e999999999999999999", b"1.0e-500"])
def test_get_when_number_is_beyond_measure_then_not_a_number(server: FeedServer, number: bytes) -> None:
    server.tell("/a", b"[" + number + b"]")
    (answer,) = FeedHttp(name="Feed", base_url=server.url).get("/a", bucket=_bucket())
    assert answer.is_nan()
