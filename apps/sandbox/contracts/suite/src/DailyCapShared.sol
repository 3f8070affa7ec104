// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// All holders together may sell seven thousandths of the supply a day: who comes late waits for ever.
contract DailyCapShared is PairToken {
    mapping(uint256 => uint256) private _soldOn;

    constructor(address pair) SuiteToken("Drip", "DRIP") PairToken(pair) {}

    function _onSell(address, uint256 amount) internal override returns (uint256) {
        uint256 day = block.timestamp / 1 days;
        _soldOn[day] += amount;
        require(_soldOn[day] <= (_supply * 7) / 1_000, "come back tomorrow");
        return 0;
    }
}
