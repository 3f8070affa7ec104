"""The Solidly curves beside recorded answers of the published arithmetic, and the router's calldata."""

from __future__ import annotations

import pytest
from eth_abi.abi import decode
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from apps.chains.evm.dex.solidly import SolidlySwapBuilder
from apps.chains.evm.dex.solidly_curves import amount_out_stable, amount_out_volatile
from apps.domain.ids import NATIVE_ADDRESS, ChainKey, ClientOrderId, PairKey, TraceId, WalletKey
from apps.domain.market import ChainProfile, DexProfile
from apps.domain.money import Amount, Token
from apps.domain.order import OrderIntent, Side

#: unit0, unit1, stable, amount in, token0 goes in, reserve0, reserve1, fee in bps, amount out: what the published
#: arithmetic of Aerodrome's pools answered when it was run on a local chain.
RECORDED = (
    (
        100_000_000,
        1_000_000_000_000_000_000,
        1,
        836_310_265,
        1,
        161_035_000_001,
        477_300_000_000_000_000_001,
        5,
        6_019_938_444_572_876_945,
    ),
    (
        100_000_000,
        1_000_000_000,
        1,
        217_714_649_368,
        0,
        7_933_830_000_001,
        61_403_250_000_001,
        100,
        21_639_957_900,
    ),
    (1_000_000_000, 1_000_000, 1, 2_517_457_552, 1, 1_438_500_000_001, 2_598_890_001, 30, 2_631_158),
    (
        1_000_000,
        1_000_000_000,
        1,
        389_573_587_539,
        1,
        449_912_820_001,
        204_162_120_000_001,
        1,
        166_333_860_721_562,
    ),
    (
        1_000_000_000_000_000_000,
        1_000_000,
        1,
        2_422_809_027_152_011_274_997,
        1,
        2_731_408_650_000_000_000_000_001,
        342_552_900_001,
        30,
        871_041_114,
    ),
    (
        100_000_000,
        1_000_000_000,
        1,
        44_022_550_523_266,
        1,
        31_636_161_280_000_001,
        695_006_918_120_000_001,
        5,
        488_558_214_430_887,
    ),
    (
        1_000_000_000,
        1_000_000_000_000_000_000,
        1,
        6_193_942_392_325_888,
        0,
        12_320_000_001,
        10_940_000_000_000_000_001,
        30,
        6_177_905,
    ),
    (
        1_000_000_000_000_000_000,
        1_000_000_000_000_000_000,
        1,
        258_397_385_697_384_714,
        1,
        27_440_000_000_000_000_001,
        68_720_000_000_000_000_001,
        100,
        298_845_289_996_360_433,
    ),
    (1_000_000, 100_000_000, 1, 1_332_303_111, 1, 528_260_001, 26_291_000_001, 5, 25_539_402_586),
    (
        1_000_000_000_000_000_000,
        1_000_000_000,
        1,
        28_319_446_957_811_156,
        0,
        192_977_917_440_000_000_000_000_001,
        292_756_272_480_000_001,
        30,
        27_188_406_783_103_295_568_567_699,
    ),
    (
        1_000_000,
        1_000_000_000,
        1,
        45_717_092_502_719,
        0,
        173_155_200_001,
        502_277_400_000_001,
        5,
        33_105_482_172,
    ),
    (
        1_000_000,
        1_000_000_000_000_000_000,
        1,
        10_084_087_189,
        1,
        293_899_840_001,
        120_037_580_000_000_000_000_001,
        30,
        8_456_505_875_460_768_245_235,
    ),
    (
        1_000_000,
        100_000_000,
        1,
        1_456_965_617_893,
        1,
        557_851_603_320_001,
        15_579_639_372_000_001,
        1,
        101_173_823_806_631,
    ),
    (100_000_000, 1_000_000, 1, 207_666_392_517, 1, 98_505_000_001, 2_781_900_001, 1, 2_000_988_384),
    (
        1_000_000_000,
        1_000_000,
        1,
        74_455_529_334_417_511,
        1,
        3_549_249_357_320_000_001,
        2_168_175_942_100_001,
        100,
        71_323_149_609_177,
    ),
    (
        1_000_000_000_000_000_000,
        1_000_000_000,
        1,
        20_899_848_171_197_212_015,
        1,
        2_395_120_000_000_000_000_001,
        3_531_580_000_001,
        1,
        21_178_365_995,
    ),
    (
        1_000_000_000,
        1_000_000_000,
        0,
        449_457_007_637_434_863_151_246,
        1,
        82_019_701_401_851_580_736_310_431,
        861,
        100,
        4,
    ),
    (1_000_000, 100_000_000, 0, 4, 0, 19_057_912_897_821_799, 996, 5, 76_231_651_591_287),
    (1_000_000_000, 1_000_000, 0, 25, 0, 56_899_060_505_915, 563, 1, 2_419_177_742_598),
    (
        1_000_000_000_000_000_000,
        1_000_000,
        0,
        6_705_621_981_595_188_160_537,
        1,
        3_725_401_029_498_632_579_956,
        792_448,
        30,
        508_881,
    ),
    (
        1_000_000_000_000_000_000,
        1_000_000_000_000_000_000,
        0,
        202_400_735,
        0,
        4_821_010_777_773,
        444_400_613_272,
        5,
        2_193_616_394,
    ),
    (
        1_000_000_000_000_000_000,
        1_000_000_000,
        0,
        111_828_777_191_921,
        0,
        92_387_023,
        52_497_518_300_439_775,
        30,
        195_794,
    ),
    (
        1_000_000_000_000_000_000,
        1_000_000_000,
        0,
        81_246_311,
        0,
        64_470_904_394_911_709_877_067_413,
        82_782_871,
        30,
        31_885_062_628_794_147_347_257_392,
    ),
    (
        100_000_000,
        100_000_000,
        0,
        204_213_853_865,
        0,
        49_327_702_231_885,
        313_596_831_416_895,
        1,
        32_098_024_026,
    ),
)
KEY = ChainKey("eip155:1")
WRAPPED, TOKEN = Token(KEY, "0x" + "22" * 20, "W", 18), Token(KEY, "0x" + "33" * 20, "T", 18)
FACTORY, ROUTER, OWNER = "0x" + "44" * 20, "0x" + "55" * 20, "0x" + "66" * 20
PROFILE = ChainProfile(
    chain_key=KEY,
    name="Local",
    family="evm",
    chain_id=1,
    native=Token(KEY, NATIVE_ADDRESS, "ETH", 18),
    wrapped_native=WRAPPED,
    stables=(),
    block_time_ms=1_000,
    confirmation_depth=1,
    base_fee_min_wei=0,
    tip_min_wei=1,
    is_sandbox=False,
    genesis_hash="",
)
DEX = DexProfile(
    chain_key=KEY, dex_key="aerodrome", kind="solidly", name="A", factory=FACTORY, router=ROUTER, fee_bps=30
)


@pytest.mark.parametrize("case", RECORDED)
def test_amount_when_recorded_then_equal_to_the_last_unit(case: tuple[int, ...]) -> None:
    unit0, unit1, is_stable, amount, is_first, reserve0, reserve1, fee, expected = case
    into, out = (reserve0, reserve1) if is_first else (reserve1, reserve0)
    if is_stable:
        given_out = amount_out_stable(
            amount_in_raw=amount,
            reserve_in_raw=into,
            reserve_out_raw=out,
            unit_in=unit0 if is_first else unit1,
            unit_out=unit1 if is_first else unit0,
            is_in_token0=bool(is_first),
            fee_bps=fee,
        )
    else:
        given_out = amount_out_volatile(
            amount_in_raw=amount, reserve_in_raw=into, reserve_out_raw=out, fee_bps=fee
        )
    assert given_out == expected


@given(amount=st.integers(1, 10**24), into=st.integers(1, 10**26), out=st.integers(1, 10**26))
def test_amount_when_volatile_then_product_never_falls(amount: int, into: int, out: int) -> None:
    got = amount_out_volatile(amount_in_raw=amount, reserve_in_raw=into, reserve_out_raw=out, fee_bps=30)
    assert (into + amount) * (out - got) >= into * out


def test_amount_when_pool_is_empty_then_nothing() -> None:
    assert amount_out_volatile(amount_in_raw=1, reserve_in_raw=0, reserve_out_raw=5, fee_bps=1) == 0
    assert (
        amount_out_stable(
            amount_in_raw=1,
            reserve_in_raw=0,
            reserve_out_raw=5,
            unit_in=1,
            unit_out=1,
            is_in_token0=True,
            fee_bps=1,
        )
        == 0
    )


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_swap_when_built_then_router_reads_the_same(side: Side) -> None:
    buys = side == "buy"
    route = (WRAPPED.address, TOKEN.address)
    intent = OrderIntent(
        trace_id=TraceId("0" * 32),
        client_order_id=ClientOrderId("order"),
        side=side,
        wallet_key=WalletKey("wallet"),
        pair_key=PairKey("pair"),
        dex_key="aerodrome",
        route=route if buys else route[::-1],
        amount_in=Amount(1_000, PROFILE.native if buys else TOKEN),
        amount_out_min=Amount(900, TOKEN if buys else PROFILE.native),
        fee_cap_raw=1,
        gas_limit=200_000,
        epoch=1,
        expires_at_ms=0,
    )
    tx = SolidlySwapBuilder(profile=PROFILE, dex=DEX).swap(intent, nonce=3, recipient=OWNER, deadline_s=77)
    routes = "(address,address,bool,address)[]"
    name = "swapExactETHForTokens" if buys else "swapExactTokensForETH"
    types = (
        ["uint256", routes, "address", "uint256"]
        if buys
        else ["uint256", "uint256", routes, "address", "uint256"]
    )
    selector = keccak(text=f"{name}SupportingFeeOnTransferTokens({','.join(types)})")[:4]
    assert tx.data[:4] == selector
    hop = (intent.route[0], intent.route[1], False, FACTORY)
    numbers = (900,) if buys else (1_000, 900)
    assert decode(types, tx.data[4:]) == (*numbers, (hop,), OWNER, 77)
    assert tx.value_raw == (1_000 if buys else 0)
    assert tx.to.lower() == ROUTER
