// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SuiteToken} from "./SuiteToken.sol";

/// A tenth of the supply is the team's and comes free over two years, half a year from now.
contract TeamVests is SuiteToken {
    address public immutable team = msg.sender;
    uint256 public immutable start = block.timestamp + 182 days;
    uint256 public constant GRANT = 100_000_000 ether;
    uint256 public released;

    constructor() SuiteToken("Long Run", "LONG") {
        _move(msg.sender, address(this), GRANT);
    }

    function releasable() public view returns (uint256) {
        if (block.timestamp < start) return 0;
        uint256 free = (GRANT * (block.timestamp - start)) / 730 days;
        return (free > GRANT ? GRANT : free) - released;
    }

    function release() external {
        uint256 amount = releasable();
        released += amount;
        _move(address(this), team, amount);
    }
}
