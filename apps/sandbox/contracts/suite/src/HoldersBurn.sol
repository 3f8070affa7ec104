// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SuiteToken} from "./SuiteToken.sol";

/// Holders burn what is theirs, or what they were allowed to.
contract HoldersBurn is SuiteToken {

    constructor() SuiteToken("Vale", "VALE") {}

    function burn(uint256 amount) external {
        _destroy(msg.sender, amount);
    }

    function burnFrom(address holder, uint256 amount) external {
        require(_allowances[holder][msg.sender] >= amount, "ERC20: insufficient allowance");
        _allowances[holder][msg.sender] -= amount;
        _destroy(holder, amount);
    }
}
