// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SuiteToken} from "./SuiteToken.sol";
import {Owned} from "./Owned.sol";

/// Was minted in parts; minting is finished for good.
contract MintFinished is SuiteToken, Owned {

    bool public mintingFinished;
    constructor() SuiteToken("Echo", "ECHO") {}

    function mint(address to, uint256 amount) external onlyOwner {
        require(!mintingFinished, "Minting is finished");
        _create(to, amount);
    }

    function finishMinting() external onlyOwner {
        mintingFinished = true;
    }
}
