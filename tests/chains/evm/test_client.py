"""The JSON-RPC client against nodes that hang, lie, limit and vanish: over real sockets."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.chains.evm import endpoint as endpoint_module
from apps.chains.evm.client import BATCH_REQUESTS_MAX, EvmClient, RpcFault, RpcFaultError
from apps.chains.evm.endpoint import FAULTS_MAX, Endpoint, EndpointConfig
from apps.chains.evm.jsonrpc import decode_answers, encode_requests, fault_of
from apps.chains.evm.transport import BODY_BYTES_MAX, is_loopback_host, parse_address
from apps.domain.errors import ConfigurationError, EndpointLyingError, NetworkError, RateLimitedError
from tests.fakes.rpc import RETRY_AFTER_S, FakeRpc, Fault, Manner, running_nodes

CHAIN_ID = 31_337
GENESIS = "0x" + "9e" * 32
GARBAGE: tuple[Manner, ...] = ("malformed", "html", "wrong_types", "wrong_id", "no_result", "not_http")
FAULTS: tuple[Manner, ...] = ("close", "truncate", "500", "oversized", "403")


@pytest.fixture
def node() -> Iterator[FakeRpc]:
    with FakeRpc(chain_id=CHAIN_ID) as running:
        yield running


@pytest.fixture
def pair() -> Iterator[list[FakeRpc]]:
    with running_nodes(2, chain_id=CHAIN_ID) as nodes:
        nodes[1].head_number = 200  # tells who answered
        yield nodes


def client_of(*nodes: FakeRpc, **settings: Any) -> EvmClient:
    endpoints = [node.endpoint(weight=100 - number) for number, node in enumerate(nodes)]
    return EvmClient(endpoints, chain_id=CHAIN_ID, **settings)


# -- answers --------------------------------------------------------------------------------------


def test_call_when_node_is_honest_then_returns_result(node: FakeRpc) -> None:
    assert client_of(node).call("eth_blockNumber") == "0x64"
    assert node.methods() == ["eth_chainId", "eth_blockNumber"]


def test_call_when_repeated_then_keeps_one_connection_and_checks_once(node: FakeRpc) -> None:
    client = client_of(node)
    for _ in range(5):
        client.call("eth_blockNumber")
    assert node.connections == 1
    assert node.methods().count("eth_chainId") == 1


def test_call_when_node_refuses_then_raises_its_fault(node: FakeRpc) -> None:
    node.answers["eth_call"] = Fault(3, "execution reverted: \x1b[31mred", "0x08c379a0")
    with pytest.raises(RpcFaultError) as caught:
        client_of(node).call("eth_call", [{}, "latest"])
    assert caught.value.fault == RpcFault(code=3, message="execution reverted:  [31mred", data="0x08c379a0")


def test_batch_when_one_item_fails_then_others_stand(node: FakeRpc) -> None:
    node.answers["eth_call"] = Fault(3, "execution reverted")
    first, second, third = client_of(node).batch(
        [("eth_blockNumber", []), ("eth_call", []), ("eth_chainId", [])]
    )
    assert (first, third) == ("0x64", hex(CHAIN_ID))
    assert second == RpcFault(code=3, message="execution reverted")
    assert node.posts[-1] == ["eth_blockNumber", "eth_call", "eth_chainId"]


def test_batch_when_larger_than_a_post_then_is_cut_and_keeps_order(node: FakeRpc) -> None:
    node.answers["echo"] = lambda params: params[0]
    count = 2 * BATCH_REQUESTS_MAX + 1
    assert client_of(node).batch([("echo", [number]) for number in range(count)]) == list(range(count))
    assert [len(post) for post in node.posts[1:]] == [BATCH_REQUESTS_MAX, BATCH_REQUESTS_MAX, 1]


def test_batch_when_empty_then_asks_nothing(node: FakeRpc) -> None:
    assert client_of(node).batch([]) == []
    assert node.requests == []


def test_batch_when_endpoint_has_no_batch_then_asks_singly(node: FakeRpc) -> None:
    client = EvmClient(
        [node.endpoint(capabilities={"batch": False})], chain_id=CHAIN_ID, genesis_hash=GENESIS
    )
    assert client.batch([("eth_blockNumber", []), ("eth_chainId", [])]) == ["0x64", hex(CHAIN_ID)]
    assert all(len(post) == 1 for post in node.posts)


def test_call_when_used_by_many_threads_then_each_gets_its_own_answer(node: FakeRpc) -> None:
    node.answers["echo"] = lambda params: params[0]
    client = client_of(node)
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda number: client.call("echo", [number]), range(400)))
    assert answers == list(range(400))


def test_call_when_process_forked_then_child_opens_its_own_connection(node: FakeRpc) -> None:
    client = client_of(node)
    client.call("eth_blockNumber")
    child = os.fork()
    if child == 0:
        os._exit(0 if client.call("eth_blockNumber") == "0x64" else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert client.call("eth_blockNumber") == "0x64"
    assert node.connections == 2


# -- lies -----------------------------------------------------------------------------------------


def test_call_when_chain_id_is_wrong_then_refuses_and_names_remedy(node: FakeRpc) -> None:
    node.chain_id = 1
    with pytest.raises(EndpointLyingError, match="serves chain 1, not chain 31337") as caught:
        client_of(node).call("eth_blockNumber")
    assert caught.value.remedy
    assert "eth_blockNumber" not in node.methods()


@pytest.mark.parametrize(
    "chain_id", ["0x", "31337", "0x" + "f" * 64, None, True, ["0x7a69"], {"a": 1}, -1, 10**30]
)
def test_call_when_chain_id_is_nonsense_then_refuses(node: FakeRpc, chain_id: object) -> None:
    node.answers["eth_chainId"] = chain_id
    with pytest.raises(EndpointLyingError, match=r"serves (no chain id|chain)"):
        client_of(node).call("eth_blockNumber")


def test_call_when_genesis_differs_then_refuses_and_says_reset(node: FakeRpc) -> None:
    client = client_of(node, genesis_hash="0x" + "11" * 32)
    with pytest.raises(EndpointLyingError, match="first block is not the recorded one") as caught:
        client.call("eth_blockNumber")
    assert "reset" in caught.value.remedy


def test_call_when_genesis_fits_in_other_case_then_answers(node: FakeRpc) -> None:
    assert client_of(node, genesis_hash=GENESIS.upper().replace("0X", "0x")).call("eth_blockNumber") == "0x64"


def test_call_when_head_is_old_then_refuses(node: FakeRpc) -> None:
    node.head_at_s = int(time.time()) - 600
    with pytest.raises(EndpointLyingError, match="is behind"):
        client_of(node, head_age_max_s=60).call("eth_blockNumber", timeout_s=0.5)
    assert client_of(node).call("eth_blockNumber") == "0x64"


def test_call_when_old_head_catches_up_then_answers_within_the_same_call(node: FakeRpc) -> None:
    node.head_at_s = int(time.time()) - 600  # a chain that was just started from its stored state
    client = client_of(node, head_age_max_s=60)
    threading.Timer(0.3, setattr, (node, "head_at_s", None)).start()
    assert client.call("eth_blockNumber") == "0x64"


def test_call_when_answer_is_garbage_once_then_is_repeated(node: FakeRpc) -> None:
    node.misbehave("html", method="eth_blockNumber", times=1)
    assert client_of(node).call("eth_blockNumber") == "0x64"


@pytest.mark.parametrize(
    ("method", "params", "result"),
    [
        ("eth_call", ({"to": "0x" + "11" * 20}, "latest"), None),
        ("eth_call", ({"to": "0x" + "11" * 20}, "latest"), [1]),
        ("eth_getBalance", ("0x" + "11" * 20, "latest"), "0x" + "f" * 65),
        ("eth_getTransactionCount", ("0x" + "11" * 20, "latest"), 7),
        ("eth_getBlockByNumber", ("latest", False), None),
        ("eth_getTransactionReceipt", ("0x" + "22" * 32,), "0x"),
        ("eth_getLogs", ({},), None),
    ],
)
def test_call_when_result_cannot_be_one_then_the_endpoint_lies_and_no_contract_is_blamed(
    node: FakeRpc, method: str, params: tuple[Any, ...], result: Any
) -> None:
    node.answers[method] = result
    with pytest.raises(EndpointLyingError, match=method):
        client_of(node).call(method, params, timeout_s=2.0)


def test_call_when_block_is_not_there_yet_then_none(node: FakeRpc) -> None:
    assert client_of(node).call("eth_getBlockByNumber", (hex(10**6), False)) is None


def test_call_when_one_lies_then_the_other_answers(pair: list[FakeRpc]) -> None:
    pair[0].chain_id = 1
    client = client_of(*pair)
    assert client.call("eth_blockNumber") == hex(200)
    client.call("eth_blockNumber")
    assert pair[0].methods() == ["eth_chainId"]  # rests, is not asked again at once
    assert "serves chain 1" in client.status()[0].fault


@pytest.mark.parametrize("manner", GARBAGE)
def test_call_when_answer_is_garbage_then_endpoint_lies(node: FakeRpc, manner: Manner) -> None:
    node.misbehave(manner, method="eth_blockNumber")
    with pytest.raises(EndpointLyingError) as caught:
        client_of(node).call("eth_blockNumber")
    assert caught.value.remedy


@pytest.mark.parametrize("manner", [*GARBAGE, *FAULTS, "429", "error_rate"])
def test_call_when_first_endpoint_fails_then_second_answers(pair: list[FakeRpc], manner: Manner) -> None:
    pair[0].misbehave(manner)
    assert client_of(*pair).call("eth_blockNumber") == hex(200)


def test_call_when_answer_is_too_large_then_fails_without_reading_it(node: FakeRpc) -> None:
    node.misbehave("oversized", method="eth_blockNumber")
    with pytest.raises(NetworkError, match=f"more than {BODY_BYTES_MAX} bytes"):
        client_of(node).call("eth_blockNumber")


# -- silence --------------------------------------------------------------------------------------


@pytest.mark.parametrize("manner", ["hang", "drip"])
def test_call_when_node_stalls_then_ends_at_its_deadline(node: FakeRpc, manner: Manner) -> None:
    client = client_of(node)
    client.call("eth_blockNumber")
    node.misbehave(manner)
    started = time.monotonic()
    with pytest.raises(NetworkError):
        client.call("eth_blockNumber", timeout_s=0.4)
    assert time.monotonic() - started < 0.8


def test_call_when_first_hangs_then_second_answers_within_the_deadline(pair: list[FakeRpc]) -> None:
    pair[0].misbehave("hang")
    assert client_of(*pair).call("eth_blockNumber", timeout_s=1.0) == hex(200)


def test_call_when_one_thread_hangs_then_others_are_served(node: FakeRpc) -> None:
    client = client_of(node)
    client.call("eth_blockNumber")
    node.misbehave("hang", method="slow")

    def ask_slowly() -> None:
        with pytest.raises(NetworkError):
            client.call("slow", timeout_s=0.6)

    hanging = threading.Thread(target=ask_slowly)
    hanging.start()
    started = time.monotonic()
    for _ in range(20):
        client.call("eth_blockNumber")
    assert time.monotonic() - started < 0.4
    hanging.join()


def test_call_when_node_failed_for_a_moment_then_is_repeated(node: FakeRpc) -> None:
    node.misbehave("500", method="eth_blockNumber", times=2)
    assert client_of(node).call("eth_blockNumber") == "0x64"
    assert node.methods().count("eth_blockNumber") == 3


def test_call_when_nothing_listens_then_breaker_fails_fast_and_recovers(
    node: FakeRpc, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint_module, "BREAK_FIRST_S", 0.3)
    client = client_of(node)
    client.call("eth_blockNumber")
    node.stop()
    with pytest.raises(NetworkError, match=r"cannot be reached|may be asked"):
        client.call("eth_blockNumber", timeout_s=5)
    assert client.status()[0].faults_in_a_row >= FAULTS_MAX
    started = time.monotonic()
    with pytest.raises(NetworkError, match="may be asked now"):
        client.call("eth_blockNumber", timeout_s=0.05)
    assert time.monotonic() - started < 0.05
    node.start()
    assert client.call("eth_blockNumber", timeout_s=5) == "0x64"
    assert client.status()[0].fault == ""


def test_call_when_node_came_back_as_another_chain_then_refuses(node: FakeRpc) -> None:
    client = client_of(node, genesis_hash=GENESIS)
    client.call("eth_blockNumber")
    node.stop()
    node.genesis_hash = "0x" + "22" * 32  # a sandbox that was laid anew on the same port
    node.start()
    with pytest.raises(EndpointLyingError, match="first block is not the recorded one"):
        client.call("eth_blockNumber")


# -- limits ---------------------------------------------------------------------------------------


def test_call_when_limited_then_endpoint_rests_as_it_asked(pair: list[FakeRpc]) -> None:
    pair[0].misbehave("429_retry_after", method="eth_blockNumber")
    client = client_of(*pair)
    for _ in range(3):
        assert client.call("eth_blockNumber") == hex(200)
    assert pair[0].methods().count("eth_blockNumber") == 1
    endpoint = client._endpoints[0]
    assert RETRY_AFTER_S - 1 < endpoint.wait_s(time.monotonic(), cost=1) <= RETRY_AFTER_S


@pytest.mark.parametrize("manner", ["429_retry_after", "error_rate"])
def test_call_when_all_are_limited_then_says_so(node: FakeRpc, manner: Manner) -> None:
    node.misbehave(manner, method="eth_blockNumber")
    with pytest.raises(RateLimitedError):
        client_of(node).call("eth_blockNumber", timeout_s=0.5)


def test_batch_when_one_item_is_limited_then_whole_batch_moves_on(pair: list[FakeRpc]) -> None:
    pair[0].answers["eth_call"] = Fault(-32_005, "rate limit exceeded")
    pair[1].answers["eth_call"] = "0x01"
    assert client_of(*pair).batch([("eth_blockNumber", []), ("eth_call", [])]) == [hex(200), "0x01"]


def test_call_when_method_is_missing_at_first_then_second_is_asked(pair: list[FakeRpc]) -> None:
    pair[1].answers["eth_simulateV1"] = []
    assert client_of(*pair).call("eth_simulateV1", []) == []


def test_call_when_method_is_missing_everywhere_then_raises_that_fault(pair: list[FakeRpc]) -> None:
    with pytest.raises(RpcFaultError, match="does not exist"):
        client_of(*pair).call("eth_simulateV1", [])


def test_call_when_capability_is_named_then_only_those_endpoints_are_asked(pair: list[FakeRpc]) -> None:
    lacking = pair[0].endpoint(weight=100, capabilities={"logs": False})
    client = EvmClient([lacking, pair[1].endpoint(weight=1)], chain_id=CHAIN_ID)
    assert client.call("eth_getLogs", [{}], capability="logs") == []
    assert pair[0].requests == []
    assert client.supports("logs")


@pytest.mark.parametrize(
    ("method", "params", "lacks", "asked"),
    [
        ("eth_getLogs", [{}], "logs", 1),
        ("eth_simulateV1", [{}, "latest"], "simulate_v1", 1),
        ("eth_call", [{}, "latest", {"0x1": {}}], "state_override", 1),
        ("eth_call", [{}, "latest"], "state_override", 0),
        ("eth_getLogs", [{}], "simulate_v1", 0),
    ],
)
def test_call_when_the_best_endpoint_was_found_lacking_then_another_is_asked_first(
    pair: list[FakeRpc], method: str, params: list[Any], lacks: str, asked: int
) -> None:
    answer: Any = [] if method == "eth_getLogs" else "0x1"
    for node in pair:
        node.answers[method] = answer
    client = EvmClient(
        [pair[0].endpoint(weight=2, capabilities={lacks: False}), pair[1].endpoint(weight=1)],
        chain_id=CHAIN_ID,
    )
    client.batch([("eth_blockNumber", ()), (method, params)])
    assert [method in node.methods() for node in pair] == [asked == 0, asked == 1]
    pair[1].stop()
    assert client.call(method, params) == answer  # better one that lacks it than none
    client.close()


def test_call_when_no_endpoint_has_the_capability_then_fault_says_so(node: FakeRpc) -> None:
    client = EvmClient([node.endpoint(capabilities={"logs": False})], chain_id=CHAIN_ID)
    assert not client.supports("logs")
    with pytest.raises(RpcFaultError, match="no endpoint of this chain has logs"):
        client.call("eth_getLogs", [{}], capability="logs")


def test_call_when_budget_is_spent_then_waits_for_it(node: FakeRpc) -> None:
    client = EvmClient([node.endpoint(requests_per_s_max=20)], chain_id=CHAIN_ID)
    started = time.monotonic()
    for _ in range(28):
        client.call("eth_blockNumber")
    assert 0.3 < time.monotonic() - started < 2


def test_call_when_first_is_out_of_budget_then_second_helps_out(pair: list[FakeRpc]) -> None:
    limited = pair[0].endpoint(weight=100, requests_per_s_max=2)
    client = EvmClient([limited, pair[1].endpoint(weight=1)], chain_id=CHAIN_ID)
    answers = [client.call("eth_blockNumber") for _ in range(4)]
    assert answers[:2] == ["0x64", "0x64"]
    assert hex(200) in answers[2:]


# -- configuration --------------------------------------------------------------------------------


def test_client_when_there_is_no_endpoint_then_configuration_error() -> None:
    with pytest.raises(ConfigurationError) as caught:
        EvmClient([], chain_id=CHAIN_ID)
    assert caught.value.remedy


@pytest.mark.parametrize(
    "url", ["", "ftp://a", "http://", "http://a:notaport", "127.0.0.1:8545", "http://a b/"]
)
def test_client_when_address_is_senseless_then_configuration_error(url: str) -> None:
    with pytest.raises(ConfigurationError):
        EvmClient([EndpointConfig(url_http=url)], chain_id=CHAIN_ID)


def test_errors_when_address_holds_a_key_then_never_show_it() -> None:
    config = EndpointConfig(url_http="http://me:hunter2@127.0.0.1:1/v2/SECRETKEY?token=SECRETKEY")
    client = EvmClient([config], chain_id=CHAIN_ID)
    with pytest.raises(NetworkError) as caught:
        client.call("eth_blockNumber", timeout_s=0.5)
    shown = f"{caught.value} {caught.value.context} {config} {client.status()}"
    assert "SECRETKEY" not in shown
    assert "hunter2" not in shown


def test_address_when_it_holds_credentials_then_sends_them_as_a_header() -> None:
    head = parse_address("https://me:p%40ss@node.example/v2/key?x=1").head.decode()
    assert head.startswith("POST /v2/key?x=1 HTTP/1.1\r\nHost: node.example:443\r\n")
    assert "Authorization: Basic bWU6cEBzcw==\r\n" in head


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("localhost", True),
        ("::1", True),
        ("127.0.0.1.evil.example", False),
        ("127.evil", False),
        ("10.0.0.1", False),
        ("node.example", False),
    ],
)
def test_is_loopback_when_host_given_then_only_this_machine_counts(host: str, expected: bool) -> None:
    assert is_loopback_host(host) is expected


# -- breaker and budget, with a clock of their own ------------------------------------------------


def an_endpoint(**settings: Any) -> Endpoint:
    return Endpoint(EndpointConfig(url_http="http://127.0.0.1:1", **settings))


def test_breaker_when_faults_repeat_then_rests_longer_each_time() -> None:
    endpoint = an_endpoint()
    now, rests = 1_000.0, []
    for _ in range(FAULTS_MAX + 8):
        assert endpoint.wait_s(now, cost=1) == 0
        endpoint.failed(now, "down")
        rests.append(endpoint.wait_s(now, cost=1))
        now += rests[-1]
    assert rests[: FAULTS_MAX - 1] == [0.0] * (FAULTS_MAX - 1)
    assert rests[FAULTS_MAX - 1] == endpoint_module.BREAK_FIRST_S
    assert rests == sorted(rests)
    assert rests[-1] == endpoint_module.BREAK_MAX_S


def test_breaker_when_rest_is_over_then_lets_one_try_first() -> None:
    endpoint = an_endpoint()
    for _ in range(FAULTS_MAX):
        endpoint.failed(0.0, "down")
    now = 2.0
    assert endpoint.wait_s(now, cost=1) == 0
    assert endpoint.wait_s(now, cost=1) > 0
    endpoint.succeeded()
    assert endpoint.wait_s(now, cost=1) == 0
    assert endpoint.status(now).fault == ""


@given(seconds=st.one_of(st.none(), st.floats(0, 1e9)))
def test_rest_when_any_retry_after_then_is_bounded(seconds: float | None) -> None:
    endpoint = an_endpoint()
    endpoint.rest(50.0, seconds=seconds, fault="slow down")
    assert 0 < endpoint.wait_s(50.0, cost=1) <= endpoint_module.RATE_REST_MAX_S


@given(
    rate=st.integers(1, 50),
    steps=st.lists(st.tuples(st.floats(0, 0.5), st.integers(1, 20)), min_size=1, max_size=60),
)
def test_budget_when_spent_in_any_order_then_never_exceeds_rate(
    rate: int, steps: list[tuple[float, int]]
) -> None:
    endpoint = an_endpoint(requests_per_s_max=rate)
    start = now = 1_000.0
    granted = 0
    for pause, cost in steps:
        now += pause
        if endpoint.wait_s(now, cost=cost) == 0:
            granted += cost
    largest = max(cost for _, cost in steps)
    assert granted <= rate * (now - start) + rate + largest


# -- the wire format ------------------------------------------------------------------------------


@given(body=st.binary(max_size=200), count=st.integers(1, 3))
def test_decode_when_any_bytes_then_answers_or_value_error(body: bytes, count: int) -> None:
    try:
        answers = decode_answers(body, first_id=1, count=count)
    except ValueError:
        return
    assert len(answers) == count


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["id", "result", "error", "a"]), inner)
    ),
    max_leaves=12,
)


@given(value=json_values, count=st.integers(1, 3))
def test_decode_when_any_json_then_answers_or_value_error(value: object, count: int) -> None:
    import json

    try:
        answers = decode_answers(json.dumps(value).encode(), first_id=1, count=count)
    except ValueError:
        return
    assert len(answers) == count


@given(order=st.permutations(range(5)))
def test_decode_when_batch_comes_in_any_order_then_is_sorted_by_request(order: list[int]) -> None:
    import json

    body = json.dumps([{"id": 10 + number, "result": number} for number in order]).encode()
    assert decode_answers(body, first_id=10, count=5) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    "body",
    [
        b'[{"id":1,"result":1},{"id":1,"result":1}]',
        b'[{"id":1,"result":1},{"id":3,"result":1}]',
        b'[{"id":true,"result":1},{"id":2,"result":1}]',
        b'[{"id":1,"result":1}]',
    ],
)
def test_decode_when_ids_do_not_fit_then_value_error(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"ids|answers|usable id"):
        decode_answers(body, first_id=1, count=2)


def test_decode_when_post_is_refused_as_a_whole_then_every_item_has_the_fault() -> None:
    body = b'{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"batches are off"}}'
    assert (
        decode_answers(body, first_id=1, count=2) == [RpcFault(code=-32_600, message="batches are off")] * 2
    )


def test_fault_when_text_is_hostile_then_is_cut_and_printable() -> None:
    fault = fault_of({"code": "x", "message": "\u202e\x00" * 10_000, "data": {"data": "0x01"}})
    assert fault.code == 0
    assert len(fault.message) == 500
    assert fault.message.isprintable()
    assert fault.data == "0x01"


def test_encode_when_several_then_ids_are_consecutive() -> None:
    assert encode_requests([("a", []), ("b", ["0x1"])], first_id=7) == (
        b'[{"jsonrpc":"2.0","id":7,"method":"a","params":[]},{"jsonrpc":"2.0","id":8,"method":"b","params":["0x1"]}]'
    )
