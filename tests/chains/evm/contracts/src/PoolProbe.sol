// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

interface IToken {
    function transfer(address to, uint256 amount) external returns (bool);
}

interface IConcentratedPool {
    function token0() external view returns (address);
    function token1() external view returns (address);
    function initialize(uint160 sqrtPriceX96) external;
    function slot0()
        external
        view
        returns (uint160 sqrtPriceX96, int24 tick, uint16, uint16, uint16, uint32, bool unlocked);
    function mint(address recipient, int24 lower, int24 upper, uint128 amount, bytes calldata data)
        external
        returns (uint256, uint256);
    function swap(address recipient, bool zeroForOne, int256 amount, uint160 limit, bytes calldata data)
        external
        returns (int256, int256);
}

/// Drives concentrated pools of any make for tests: deploys, fills, swaps, and asks what many swaps would do in one call.
contract PoolProbe {
    uint160 private constant LIMIT_LOW = 4295128740;
    uint160 private constant LIMIT_HIGH = 1461446703485210103287273052203988822378723970341;

    /// What a pool's creation code asks of the contract that deploys it.
    struct Parameters {
        address factory;
        address token0;
        address token1;
        uint24 fee;
        int24 tickSpacing;
    }

    Parameters public parameters;

    event Deployed(address pool);

    function deploy(bytes memory code, address token0, address token1, uint24 fee, int24 tickSpacing) external {
        parameters = Parameters(address(this), token0, token1, fee, tickSpacing);
        address pool;
        assembly {
            pool := create(0, add(code, 32), mload(code))
        }
        require(pool != address(0), "pool was not deployed");
        emit Deployed(pool);
    }

    /// Some makes ask their factory about the owner when they are set up.
    function owner() external view returns (address) {
        return address(this);
    }

    function fill(address pool, int24[] calldata lower, int24[] calldata upper, uint128[] calldata amount) external {
        for (uint256 i = 0; i < lower.length; i++) {
            IConcentratedPool(pool).mint(address(this), lower[i], upper[i], amount[i], "");
        }
    }

    function trade(address pool, bool zeroForOne, int256 amount) public returns (int256, int256) {
        return IConcentratedPool(pool).swap(
            address(this), zeroForOne, amount, zeroForOne ? LIMIT_LOW : LIMIT_HIGH, ""
        );
    }

    /// What came of each swap, every one from the same state: taken, given, the price and the tick after.
    struct Outcome {
        bool done;
        int256 amount0;
        int256 amount1;
        uint160 sqrtPriceX96;
        int24 tick;
    }

    function outcomes(address[] calldata pools, bool[] calldata zeroForOne, int256[] calldata amounts)
        external
        returns (Outcome[] memory found)
    {
        found = new Outcome[](pools.length);
        for (uint256 i = 0; i < pools.length; i++) {
            try this.tried(pools[i], zeroForOne[i], amounts[i]) {}
            catch (bytes memory answer) {
                if (answer.length == 160) found[i] = abi.decode(answer, (Outcome));
            }
        }
    }

    function tried(address pool, bool zeroForOne, int256 amount) external {
        (int256 amount0, int256 amount1) = trade(pool, zeroForOne, amount);
        (uint160 price, int24 tick,,,,,) = IConcentratedPool(pool).slot0();
        bytes memory answer = abi.encode(Outcome(true, amount0, amount1, price, tick));
        assembly {
            revert(add(answer, 32), mload(answer))
        }
    }

    /// The tick of each price, as a pool without a price finds it when it is given one.
    function ticksAt(address pool, uint160[] calldata prices) external returns (int24[] memory found) {
        found = new int24[](prices.length);
        for (uint256 i = 0; i < prices.length; i++) {
            try this.started(pool, prices[i]) {}
            catch (bytes memory answer) {
                found[i] = answer.length == 32 ? abi.decode(answer, (int24)) : type(int24).max;
            }
        }
    }

    function started(address pool, uint160 price) external {
        IConcentratedPool(pool).initialize(price);
        (, int24 tick,,,,,) = IConcentratedPool(pool).slot0();
        assembly {
            mstore(0, tick)
            revert(0, 32)
        }
    }

    /// Mint and swap callbacks of every make: two amounts, of which the positive ones are owed to the pool.
    fallback() external {
        (int256 owed0, int256 owed1) = abi.decode(msg.data[4:], (int256, int256));
        if (owed0 > 0) IToken(IConcentratedPool(msg.sender).token0()).transfer(msg.sender, uint256(owed0));
        if (owed1 > 0) IToken(IConcentratedPool(msg.sender).token1()).transfer(msg.sender, uint256(owed1));
    }
}
