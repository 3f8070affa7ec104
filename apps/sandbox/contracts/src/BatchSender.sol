// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

interface IErc20ForBatch {
    function transferFrom(address from, address to, uint256 amount) external returns (bool);
}

/// Pays many accounts in one transaction: gives a young token its holders and new actors their coins.
contract BatchSender {
    function sendToken(address token, address[] calldata receivers, uint256[] calldata amounts) external {
        require(receivers.length == amounts.length, "Lengths differ");
        for (uint256 i = 0; i < receivers.length; ++i) {
            require(IErc20ForBatch(token).transferFrom(msg.sender, receivers[i], amounts[i]), "Transfer failed");
        }
    }

    function sendNative(address payable[] calldata receivers, uint256[] calldata amounts) external payable {
        require(receivers.length == amounts.length, "Lengths differ");
        uint256 left = msg.value;
        for (uint256 i = 0; i < receivers.length; ++i) {
            left -= amounts[i];
            (bool ok,) = receivers[i].call{value: amounts[i]}("");
            require(ok, "Transfer failed");
        }
        require(left == 0, "Value left over");
    }
}
