// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

interface Extension {
    function fee() external view returns (uint256);
}

/// Makes an extension out of code that its owner gives it, and asks that for the fee.
contract ExtensionMade is LaunchToken {
    address public extension;

    constructor(address pair) SuiteToken("Extended", "EXTD") LaunchToken(pair) {}

    function extend(bytes calldata code) external onlyOwner {
        bytes memory held = code;
        address made;
        assembly {
            made := create(0, add(held, 32), mload(held))
        }
        require(made.code.length > 0, "nothing made");
        extension = made;
    }

    function _feePercent(address, address to, uint256) internal view override returns (uint256) {
        if (to != uniswapV2Pair || extension == address(0)) return 2;
        return Extension(extension).fee();
    }
}
