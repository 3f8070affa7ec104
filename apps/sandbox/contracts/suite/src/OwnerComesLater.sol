// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Nobody owns it for three days; then its maker may close it.
contract OwnerComesLater is PairToken {
    uint256 private immutable _from = block.timestamp + 3 days;
    bool private _closed;

    constructor(address pair) SuiteToken("Interim", "INTR") PairToken(pair) {}

    function finish() external {
        require(msg.sender == _deployer && block.timestamp >= _from);
        _closed = true;
    }

    function _onSell(address, uint256) internal view override returns (uint256) {
        require(!_closed);
        return 0;
    }
}
