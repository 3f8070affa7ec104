// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SuiteToken} from "./SuiteToken.sol";

/// Knows how many hold it and who, for airdrops elsewhere; moving it costs a little more gas.
contract HoldersCounted is SuiteToken {
    address[] public holders;
    mapping(address => uint256) private _place;

    constructor() SuiteToken("Census", "CNSS") {}

    function holdersCount() external view returns (uint256) {
        return holders.length;
    }

    function _update(address from, address to, uint256 amount) internal override {
        _move(from, to, amount);
        if (_place[to] == 0 && amount > 0) {
            holders.push(to);
            _place[to] = holders.length;
        }
        uint256 place = _place[from];
        if (_balances[from] == 0 && place > 0) {
            address last = holders[holders.length - 1];
            holders[place - 1] = last;
            _place[last] = place;
            holders.pop();
            _place[from] = 0;
        }
    }
}
