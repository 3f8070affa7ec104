"""The real Uniswap V3 on a local chain: factory, position manager, router and quoter, with pools of wrapped coin."""

from __future__ import annotations

from dataclasses import dataclass

from eth_abi.abi import decode
from eth_account.signers.local import LocalAccount
from eth_utils.address import to_checksum_address

from apps.chains.evm.dex.concentrated_liquidity import TICK_MAX, sqrt_price_at
from apps.domain.market import DexProfile
from tests.chain_fixtures import ZERO_ADDRESS, Market, calldata, deploy, npm_artifact, read
from tests.chains.evm.concentrated_pools import send
from tests.chains.evm.deployment import chain_key

_FACTORY = "@uniswap/v3-core/artifacts/contracts/UniswapV3Factory.sol/UniswapV3Factory.json"
_POSITIONS = (
    "@uniswap/v3-periphery/artifacts/contracts/NonfungiblePositionManager.sol/NonfungiblePositionManager.json"
)
_ROUTER = "@uniswap/swap-router-contracts/artifacts/contracts/SwapRouter02.sol/SwapRouter02.json"
_QUOTER = "@uniswap/v3-periphery/artifacts/contracts/lens/QuoterV2.sol/QuoterV2.json"
SPACINGS = {500: 10, 3_000: 60, 10_000: 200}
_DEADLINE = 2**63
_MINT = "mint((address,address,uint24,int24,int24,uint256,uint256,uint256,uint256,address,uint256))"
_QUOTE = "quoteExactInputSingle((address,address,uint256,uint24,uint160))"


@dataclass(frozen=True, slots=True)
class V3Dex:
    """Addresses are EIP-55."""

    factory: str
    positions: str
    router: str
    quoter: str

    @classmethod
    def deploy(cls, market: Market) -> V3Dex:
        """Deploy everything beside the market's wrapped coin."""
        rpc, account, wrapped = market.rpc, market.chain.accounts[0], market.dex.wrapped
        factory = deploy(rpc, account, npm_artifact(_FACTORY))
        positions = deploy(rpc, account, npm_artifact(_POSITIONS), factory, wrapped, ZERO_ADDRESS)
        router = deploy(rpc, account, npm_artifact(_ROUTER), market.dex.factory, factory, positions, wrapped)
        return cls(factory, positions, router, deploy(rpc, account, npm_artifact(_QUOTER), factory, wrapped))


def v3_profile(market: Market, dex: V3Dex) -> DexProfile:
    """Return the deployment as a row would give it."""
    return DexProfile(
        chain_key=chain_key(market),
        dex_key="uniswap_v3",
        kind="uniswap_v3",
        name="Local V3",
        factory=dex.factory,
        router=dex.router,
        fee_bps=30,
    )


def is_token0(market: Market, token: str) -> bool:
    """Tell whether a token sorts before the wrapped coin."""
    return int(token, 16) < int(market.dex.wrapped, 16)


def create_pool(market: Market, dex: V3Dex, token: str, *, fee_pips: int, tokens_per_coin: int) -> str:
    """Create a pool of token and wrapped coin at about this price; return its address."""
    tick = _tick_of(tokens_per_coin) * (-1 if is_token0(market, token) else 1)
    first, second = _sorted(market, token)
    data = calldata(
        "createAndInitializePoolIfNecessary(address,address,uint24,uint160)",
        *(first, second, fee_pips, sqrt_price_at(tick)),
    )
    send(market.rpc, market.chain.accounts[0], dex.positions, data)
    pool = read(
        market.rpc,
        dex.factory,
        "getPool(address,address,uint24)",
        *(first, second, fee_pips),
        returns="address",
    )
    return str(to_checksum_address(pool))


def add_position(
    market: Market,
    dex: V3Dex,
    token: str,
    *,
    fee_pips: int,
    token_amount: int,
    native_amount: int,
    ticks: tuple[int, int] | None = None,
    owner: LocalAccount | None = None,
) -> None:
    """Put liquidity between two ticks, over all prices without them; the first account pays, the owner gets it."""
    account = market.chain.accounts[0]
    spacing = SPACINGS[fee_pips]
    lower, upper = ticks or (-(TICK_MAX // spacing) * spacing, TICK_MAX // spacing * spacing)
    first, second = _sorted(market, token)
    send(market.rpc, account, market.dex.wrapped, calldata("deposit()"), value=native_amount)
    for spent in (first, second):
        send(market.rpc, account, spent, calldata("approve(address,uint256)", dex.positions, 2**256 - 1))
    amounts = (token_amount, native_amount) if is_token0(market, token) else (native_amount, token_amount)
    recipient = (owner or account).address
    position = (first, second, fee_pips, lower, upper, *amounts, 0, 0, recipient, _DEADLINE)
    send(market.rpc, account, dex.positions, calldata(_MINT, position))


def quoted(market: Market, dex: V3Dex, route: tuple[str, str], *, fee_pips: int, amount_in_raw: int) -> int:
    """Return what the exchange's own quoter says."""
    data = calldata(_QUOTE, (*route, amount_in_raw, fee_pips, 0))
    answer = market.rpc("eth_call", {"to": dex.quoter, "data": data}, "latest")
    return int(decode(["uint256"], bytes.fromhex(answer[2:66]))[0])


def _sorted(market: Market, token: str) -> tuple[str, str]:
    wrapped = market.dex.wrapped
    return (token, wrapped) if is_token0(market, token) else (wrapped, token)


def _tick_of(ratio: int) -> int:
    tick = 0
    while sqrt_price_at(tick + 1) ** 2 <= ratio << 192:
        tick += 1
    return tick
