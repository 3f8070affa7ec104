// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {HonestLogic, Logic} from "./Logic.sol";
import {SlotProxy} from "./SlotProxy.sol";

/// Each function lies in a facet of its own choosing (EIP-2535); the owner exchanges and removes them.
contract FacetsCut is SlotProxy {
    struct FacetCut {
        address facet;
        uint8 action; // 0 adds, 1 replaces, 2 removes
        bytes4[] selectors;
    }

    struct Facets {
        address owner;
        mapping(bytes4 => address) at;
    }

    event DiamondCut(FacetCut[] cuts, address init, bytes data);

    constructor(address pair) {
        address code = address(new HonestLogic());
        _facets().owner = msg.sender;
        bytes4[10] memory known = [
            bytes4(keccak256("name()")),
            bytes4(keccak256("symbol()")),
            Logic.decimals.selector,
            bytes4(keccak256("totalSupply()")),
            bytes4(keccak256("balanceOf(address)")),
            bytes4(keccak256("allowance(address,address)")),
            Logic.approve.selector,
            Logic.transfer.selector,
            Logic.transferFrom.selector,
            Logic.initialize.selector
        ];
        for (uint256 i = 0; i < known.length; ++i) _facets().at[known[i]] = code;
        (bool ok,) = code.delegatecall(abi.encodeCall(Logic.initialize, ("Prism", "PRISM", msg.sender, pair)));
        require(ok, "Initialization failed");
    }

    function owner() external view returns (address) {
        return _facets().owner;
    }

    function facetAddress(bytes4 selector) external view returns (address) {
        return _facets().at[selector];
    }

    function diamondCut(FacetCut[] calldata cuts, address init, bytes calldata data) external {
        require(msg.sender == _facets().owner, "Not owner");
        for (uint256 i = 0; i < cuts.length; ++i) {
            for (uint256 j = 0; j < cuts[i].selectors.length; ++j) {
                _facets().at[cuts[i].selectors[j]] = cuts[i].action == 2 ? address(0) : cuts[i].facet;
            }
        }
        emit DiamondCut(cuts, init, data);
    }

    fallback() external {
        address code = _facets().at[msg.sig];
        require(code != address(0), "No such function");
        _pass(code);
    }

    /// Away from the facets' own storage.
    function _facets() private pure returns (Facets storage facets) {
        bytes32 slot = keccak256("suite.facets");
        assembly {
            facets.slot := slot
        }
    }
}
