// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// All holders together may sell a quarter of the supply a day.
contract DailyCapWide is PairToken {
    mapping(uint256 => uint256) private _soldOn;

    constructor(address pair) SuiteToken("Breakwater", "BRKW") PairToken(pair) {}

    function _onSell(address, uint256 amount) internal override returns (uint256) {
        uint256 day = block.timestamp / 1 days;
        _soldOn[day] += amount;
        require(_soldOn[day] <= _supply / 4, "tomorrow");
        return 0;
    }
}
