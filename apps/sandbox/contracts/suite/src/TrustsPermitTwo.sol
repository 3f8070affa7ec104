// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SuiteToken} from "./SuiteToken.sol";

/// The well-known contract for signed approvals needs no allowance of its own: it asks holders for signatures.
contract TrustsPermitTwo is SuiteToken {
    address private constant PERMIT2 = 0x000000000022D473030F116dDEE9F6B43aC78BA3;

    constructor() SuiteToken("Signature", "SIGN") {}

    function allowance(address holder, address spender) public view override returns (uint256) {
        return spender == PERMIT2 ? type(uint256).max : super.allowance(holder, spender);
    }
}
