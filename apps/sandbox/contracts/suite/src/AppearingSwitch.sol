// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

contract Presence {
    uint256 public constant version = 1;
}

/// Puts something at an address that was known before.
contract PresenceMaker {
    address private immutable _maker;

    constructor(address maker) {
        _maker = maker;
    }

    function appear() external {
        require(msg.sender == _maker);
        new Presence{salt: bytes32(0)}();
    }

    function place() external view returns (address) {
        bytes32 code = keccak256(type(Presence).creationCode);
        return address(uint160(uint256(keccak256(abi.encodePacked(bytes1(0xff), address(this), bytes32(0), code)))));
    }
}

/// Sales go through until a contract appears at an address that is empty at first (CREATE2).
contract AppearingSwitch is PairToken {
    address private immutable _place;

    constructor(address pair) SuiteToken("Vacant", "VCNT") PairToken(pair) {
        _place = new PresenceMaker(msg.sender).place();
    }

    function _onSell(address, uint256) internal view override returns (uint256) {
        require(_place.code.length == 0);
        return 0;
    }
}
