// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Owned} from "./Owned.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Sold its first tokens itself; that sale is closed and cannot be opened again.
contract PresaleClosed is SuiteToken, Owned {
    bool public closed;

    constructor() SuiteToken("Founders", "FNDR") {
        _move(msg.sender, address(this), 100_000_000 ether);
    }

    function contribute() external payable {
        require(!closed, "closed");
        _move(address(this), msg.sender, msg.value * 1_000_000);
    }

    function close() external onlyOwner {
        closed = true;
        _destroy(address(this), _balances[address(this)]);
        (bool sent,) = owner().call{value: address(this).balance}("");
        require(sent);
    }
}
