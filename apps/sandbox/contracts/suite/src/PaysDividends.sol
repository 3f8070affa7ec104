// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Two of a hundred of each trade are shared among holders, who claim them.
contract PaysDividends is PairToken {

    uint256 private constant MAGNITUDE = 2 ** 128;
    uint256 private _perShare;
    mapping(address => int256) private _corrections;
    mapping(address => uint256) private _withdrawn;
    constructor(address pair) SuiteToken("Islet", "ISLET") PairToken(pair) {}

    function dividendOf(address holder) public view returns (uint256) {
        int256 all = int256(_perShare * _balances[holder]) + _corrections[holder];
        return uint256(all) / MAGNITUDE - _withdrawn[holder];
    }

    function claim() external {
        uint256 due = dividendOf(msg.sender);
        _withdrawn[msg.sender] += due;
        _track(address(this), msg.sender, due);
    }

    function _update(address from, address to, uint256 amount) internal override {
        uint256 fee = from == _pair || to == _pair ? amount * 2 / 100 : 0;
        if (from == _deployer) fee = 0;
        if (fee > 0) {
            _track(from, address(this), fee);
            _perShare += fee * MAGNITUDE / totalSupply();
        }
        _track(from, to, amount - fee);
    }

    function _track(address from, address to, uint256 amount) private {
        _move(from, to, amount);
        int256 correction = int256(_perShare * amount);
        _corrections[from] += correction;
        _corrections[to] -= correction;
    }
}
