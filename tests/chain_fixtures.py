"""A real local chain for tests: anvil, real DEX contracts, raw JSON-RPC. Knows nothing of the system under test."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import requests
from eth_abi.abi import decode, encode
from eth_abi.grammar import TupleType, parse
from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from tests.programs import ANVIL_MISSING, ROOT, find_anvil

NODE_MODULES = ROOT / "node_modules"
SANDBOX_CONTRACTS = ROOT / "apps/sandbox/contracts/compiled"
EVM_CONTRACTS = ROOT / "apps/chains/evm/contracts/compiled"

CHAIN_ID = 31_337_001
ACCOUNT_COUNT = 10
ACCOUNT_BALANCE_WEI = 100_000 * 10**18
ANVIL_START_MAX_S = 20.0
RPC_TIMEOUT_S = 30.0
RECEIPT_WAIT_MAX_S = 10.0
GAS_LIMIT = 8_000_000
UNISWAP_PAIR_CODE_HASH = "96e8ac4277198ff8b6f785478aa9a39f403cb768dd02cbee326c3e7da348845f"
ZERO_ADDRESS = "0x" + "00" * 20


class RpcError(Exception):
    """The node answered with an error; `data` holds revert data where it sent some."""

    def __init__(self, method: str, error: dict[str, Any]) -> None:
        super().__init__(f"{method}: {error.get('message')}")
        self.data = error.get("data")


class Rpc:
    """Raw JSON-RPC over one kept-alive HTTP connection."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy stands between a test and its own machine
        self._last_id = 0

    def __call__(self, method: str, *params: object) -> Any:
        self._last_id += 1
        request = {"jsonrpc": "2.0", "id": self._last_id, "method": method, "params": params}
        answer = self._session.post(self.url, json=request, timeout=RPC_TIMEOUT_S).json()
        if "error" in answer:
            raise RpcError(method, answer["error"])
        return answer["result"]

    def close(self) -> None:
        self._session.close()


class LocalChain(NamedTuple):
    url: str
    chain_id: int
    accounts: tuple[LocalAccount, ...]  # each funded with ACCOUNT_BALANCE_WEI


@dataclass(frozen=True, slots=True, kw_only=True)
class V2Dex:
    """A Uniswap-V2-like exchange. Addresses are EIP-55."""

    wrapped: str
    factory: str
    router: str
    fee_bps: int  # by which the router quotes


# -- the node -------------------------------------------------------------------------------------


def anvil_binary() -> Path:
    """Return this machine's anvil; skip the test where there is none."""
    binary = find_anvil()
    if binary is None:
        pytest.skip(ANVIL_MISSING)
    return binary


@contextmanager
def running_anvil(
    *, chain_id: int = CHAIN_ID, options: Sequence[str] = (), account_count: int = ACCOUNT_COUNT
) -> Iterator[LocalChain]:
    """Run anvil on a free port of the loopback; stop it at the end. `options` are added to its command line."""
    command = [str(anvil_binary()), "--host", "127.0.0.1", "--port", "0", "--chain-id", str(chain_id)]
    with tempfile.TemporaryFile() as log:
        child = subprocess.Popen(
            [*command, "--accounts", "1", *options],
            stdout=log,
            stderr=subprocess.STDOUT,
            env={},  # anvil takes options from the environment too
        )
        try:
            url = f"http://127.0.0.1:{_port_of(child, log.fileno())}"
            yield LocalChain(url, chain_id, _funded_accounts(url, account_count))
        finally:
            child.terminate()
            try:
                child.wait(timeout=5)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


@pytest.fixture(scope="module")
def anvil() -> Iterator[LocalChain]:
    """A fresh chain for each test module: url, chain_id, funded accounts. Mines each transaction at once."""
    with running_anvil() as chain:
        yield chain


def _port_of(child: subprocess.Popen[bytes], log: int) -> int:
    deadline = time.monotonic() + ANVIL_START_MAX_S
    while time.monotonic() < deadline:
        text = os.pread(log, 65_536, 0).decode(errors="replace")
        found = re.search(r"Listening on 127\.0\.0\.1:(\d+)", text)
        if found:
            return int(found.group(1))
        if child.poll() is not None:
            raise AssertionError(f"anvil ended at start with {child.returncode}: {text}")
        time.sleep(0.01)
    raise AssertionError(f"anvil did not listen within {ANVIL_START_MAX_S} s")


def _funded_accounts(url: str, count: int) -> tuple[LocalAccount, ...]:
    rpc = Rpc(url)
    accounts = tuple(Account.from_key(keccak(text=f"local test account {number}")) for number in range(count))
    for account in accounts:
        rpc("anvil_setBalance", account.address, hex(ACCOUNT_BALANCE_WEI))
    rpc.close()
    return accounts


# -- calls and transactions -----------------------------------------------------------------------


def calldata(signature: str, *arguments: object) -> str:
    """Return the hex calldata of a function given as "name(type,…)"; tuples are written in parentheses."""
    types = signature[signature.index("(") :]
    body = b"" if types == "()" else encode(_components(types), arguments)
    return "0x" + (keccak(text=signature)[:4] + body).hex()


def read(rpc: Rpc, to: str, signature: str, *arguments: object, returns: str, block: str = "latest") -> Any:
    """Call a view and return its only result, of ABI type `returns`."""
    answer = rpc("eth_call", {"to": to, "data": calldata(signature, *arguments)}, block)
    return decode([returns], bytes.fromhex(answer[2:]))[0]


def transact(
    rpc: Rpc,
    account: LocalAccount,
    *,
    to: str | None,
    data: str = "0x",
    value: int = 0,
    gas: int = GAS_LIMIT,
) -> dict[str, Any]:
    """Sign, send and return the receipt, reverted or not (`status` "0x0")."""
    base_fee = int(rpc("eth_getBlockByNumber", "latest", False)["baseFeePerGas"], 16)
    transaction: dict[str, Any] = {
        "chainId": int(rpc("eth_chainId"), 16),
        "nonce": int(rpc("eth_getTransactionCount", account.address, "pending"), 16),
        "value": value,
        "data": data,
        "gas": gas,
        "maxPriorityFeePerGas": 10**9,
        "maxFeePerGas": 2 * base_fee + 10**9,
    }
    if to is not None:
        transaction["to"] = to
    signed = account.sign_transaction(transaction)
    tx_hash = rpc("eth_sendRawTransaction", "0x" + bytes(signed.raw_transaction).hex())
    return receipt_of(rpc, tx_hash)


def transact_ok(
    rpc: Rpc, account: LocalAccount, *, to: str, data: str = "0x", value: int = 0
) -> dict[str, Any]:
    """As transact, and fail the test when the transaction reverted."""
    receipt = transact(rpc, account, to=to, data=data, value=value)
    assert receipt["status"] == "0x1", f"call of {to} reverted: {data[:10]}"
    return receipt


def receipt_of(rpc: Rpc, tx_hash: str) -> dict[str, Any]:
    deadline = time.monotonic() + RECEIPT_WAIT_MAX_S
    while time.monotonic() < deadline:
        receipt: dict[str, Any] | None = rpc("eth_getTransactionReceipt", tx_hash)
        if receipt is not None:
            return receipt
        time.sleep(0.005)
    raise AssertionError(f"{tx_hash} was not mined within {RECEIPT_WAIT_MAX_S} s")


# -- contracts ------------------------------------------------------------------------------------


def artifact(name: str) -> dict[str, Any]:
    """Return one of our own compiled contracts by name."""
    for folder in (SANDBOX_CONTRACTS, EVM_CONTRACTS):
        path = folder / f"{name}.json"
        if path.is_file():
            loaded: dict[str, Any] = json.loads(path.read_text())
            return loaded
    raise AssertionError(f"no compiled contract {name}")


def npm_artifact(path: str) -> dict[str, Any]:
    """Return a contract that an npm package carries; skip the test where it is not installed."""
    file = NODE_MODULES / path
    if not file.is_file():
        pytest.skip(f"{file} is missing, run make setup")
    loaded: dict[str, Any] = json.loads(file.read_text())
    return loaded


def deploy(rpc: Rpc, account: LocalAccount, contract: dict[str, Any] | str, *arguments: object) -> str:
    """Deploy an artifact, or one of our own contracts by name; return the address."""
    loaded = artifact(contract) if isinstance(contract, str) else contract
    types = [
        _abi_type(item)
        for entry in loaded["abi"]
        if entry["type"] == "constructor"
        for item in entry["inputs"]
    ]
    data = "0x" + loaded["bytecode"].removeprefix("0x") + encode(types, arguments).hex()
    receipt = transact(rpc, account, to=None, data=data)
    assert receipt["status"] == "0x1", f"deployment of {loaded.get('contractName')} reverted"
    return to_checksum_address(receipt["contractAddress"])


def deploy_v2(url: str, deployer: LocalAccount | None = None, *, flavour: str = "uniswap") -> V2Dex:
    """Deploy wrapped coin, factory and router of "uniswap" or "pancake" from the npm artifacts.

    The router carries its factory's pair code hash, so over another factory that hash is replaced.
    """
    rpc = Rpc(url)
    account = deployer if deployer is not None else _funded_accounts(url, 1)[0]
    wrapped = deploy(rpc, account, npm_artifact("canonical-weth/build/contracts/WETH9.json"))
    router = npm_artifact("@uniswap/v2-periphery/build/UniswapV2Router02.json")
    assert router["bytecode"].count(UNISWAP_PAIR_CODE_HASH) == 1
    if flavour == "pancake":
        source = npm_artifact("@pancakeswap-libs/pancake-swap-core/build/PancakeFactory.json")
        factory = deploy(rpc, account, source, account.address)
        code_hash: bytes = read(rpc, factory, "INIT_CODE_PAIR_HASH()", returns="bytes32")
        router["bytecode"] = router["bytecode"].replace(UNISWAP_PAIR_CODE_HASH, code_hash.hex())
    else:
        assert flavour == "uniswap", flavour
        source = npm_artifact("@uniswap/v2-core/build/UniswapV2Factory.json")
        factory = deploy(rpc, account, source, account.address)
    dex = V2Dex(
        wrapped=wrapped, factory=factory, router=deploy(rpc, account, router, factory, wrapped), fee_bps=30
    )
    rpc.close()
    return dex


def add_liquidity(
    rpc: Rpc, account: LocalAccount, dex: V2Dex, token: str, *, token_amount: int, native_amount: int
) -> str:
    """Approve the router, pool the amounts and return the pair. The account must hold the tokens."""
    transact_ok(rpc, account, to=token, data=calldata("approve(address,uint256)", dex.router, 2**256 - 1))
    data = calldata(
        "addLiquidityETH(address,uint256,uint256,uint256,address,uint256)",
        token,
        token_amount,
        0,
        0,
        account.address,
        2**63,
    )
    transact_ok(rpc, account, to=dex.router, data=data, value=native_amount)
    return pair_of(rpc, dex, token)


def pair_of(rpc: Rpc, dex: V2Dex, token: str) -> str:
    pair = read(rpc, dex.factory, "getPair(address,address)", dex.wrapped, token, returns="address")
    return to_checksum_address(pair)


def _components(types: str) -> list[str]:
    parsed = parse(types)
    assert isinstance(parsed, TupleType), types
    return [component.to_type_str() for component in parsed.components]


def _abi_type(item: dict[str, Any]) -> str:
    if not item["type"].startswith("tuple"):
        return str(item["type"])
    inner = ",".join(_abi_type(part) for part in item["components"])
    return f"({inner}){item['type'].removeprefix('tuple')}"


# -- a market -------------------------------------------------------------------------------------


class Launch(NamedTuple):
    token: str
    pair: str
    deployer: LocalAccount


@dataclass(frozen=True, slots=True)
class Market:
    """A chain with one exchange: launches tokens, and buys and sells them in real transactions."""

    chain: LocalChain
    rpc: Rpc
    dex: V2Dex

    def launch(
        self,
        contract: str,
        *extra: object,
        supply: int = 10**27,
        pooled_tokens: int = 10**26,
        pooled_native: int = 10 * 10**18,
    ) -> Launch:
        """Deploy a launch token with its further constructor arguments, and pool part of its supply."""
        deployer = self.chain.accounts[0]
        token = deploy(self.rpc, deployer, contract, "Sample", "SMPL", 18, supply, self.dex.router, *extra)
        return self.pool(token, pooled_tokens=pooled_tokens, pooled_native=pooled_native)

    def pool(self, token: str, *, pooled_tokens: int = 10**26, pooled_native: int = 10 * 10**18) -> Launch:
        deployer = self.chain.accounts[0]
        pair = add_liquidity(
            self.rpc, deployer, self.dex, token, token_amount=pooled_tokens, native_amount=pooled_native
        )
        return Launch(token, pair, deployer)

    def buyer(self) -> LocalAccount:
        """Return a funded account that has never traded."""
        account: LocalAccount = Account.create()
        self.rpc("anvil_setBalance", account.address, hex(ACCOUNT_BALANCE_WEI))
        return account

    def balance(self, token: str, holder: str) -> int:
        return int(read(self.rpc, token, "balanceOf(address)", holder, returns="uint256"))

    def call_as_deployer(self, launch: Launch, signature: str, *arguments: object) -> None:
        transact_ok(self.rpc, launch.deployer, to=launch.token, data=calldata(signature, *arguments))

    def buy_data(self, token: str, receiver: str) -> str:
        return calldata(
            "swapExactETHForTokensSupportingFeeOnTransferTokens(uint256,address[],address,uint256)",
            0,
            [self.dex.wrapped, token],
            receiver,
            2**63,
        )

    def sell_data(self, token: str, receiver: str, amount: int) -> str:
        return calldata(
            "swapExactTokensForETHSupportingFeeOnTransferTokens(uint256,uint256,address[],address,uint256)",
            amount,
            0,
            [token, self.dex.wrapped],
            receiver,
            2**63,
        )

    def approve_data(self, amount: int = 2**256 - 1) -> str:
        return calldata("approve(address,uint256)", self.dex.router, amount)

    def buy(self, account: LocalAccount, token: str, *, value: int) -> bool:
        """Buy in a transaction; return whether it succeeded."""
        data = self.buy_data(token, account.address)
        return transact(self.rpc, account, to=self.dex.router, data=data, value=value)["status"] == "0x1"

    def sell(self, account: LocalAccount, token: str, *, amount: int | None = None) -> bool:
        """Approve and sell (all without an amount) in transactions; return whether the sell succeeded."""
        held = self.balance(token, account.address) if amount is None else amount
        transact(self.rpc, account, to=token, data=self.approve_data())
        data = self.sell_data(token, account.address, held)
        return transact(self.rpc, account, to=self.dex.router, data=data)["status"] == "0x1"


@contextmanager
def running_market(*, flavour: str = "uniswap", chain_id: int = CHAIN_ID) -> Iterator[Market]:
    with running_anvil(chain_id=chain_id) as chain:
        rpc = Rpc(chain.url)
        yield Market(chain, rpc, deploy_v2(chain.url, chain.accounts[0], flavour=flavour))
        rpc.close()
