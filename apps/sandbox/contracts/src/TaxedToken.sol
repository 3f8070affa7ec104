// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";
import {MarketToken} from "./MarketToken.sol";

/// Takes a share of each buy and sell for a treasury. The owner may change the shares up to a cap fixed at
/// construction and may set size limits. Fair projects and traps use the same code with other numbers.
contract TaxedToken is MarketToken {
    struct Terms {
        uint16 buyFeeBps;
        uint16 sellFeeBps;
        uint16 maxFeeBps;
        address feeWallet;
    }

    uint256 private constant WHOLE_BPS = 10_000;

    uint16 public buyFee;
    uint16 public sellFee;
    uint16 public immutable maxFee;
    address public feeWallet;
    uint256 public maxTransactionAmount = type(uint256).max;
    uint256 public maxWallet = type(uint256).max;

    event FeesUpdated(uint16 buyFee, uint16 sellFee);
    event LimitsUpdated(uint256 maxTransactionAmount, uint256 maxWallet);

    constructor(
        string memory name_,
        string memory symbol_,
        uint8 decimals_,
        uint256 supply_,
        address router_,
        Terms memory terms
    ) LaunchToken(name_, symbol_, decimals_, supply_, router_) {
        require(terms.maxFeeBps <= WHOLE_BPS, "Cap too high");
        require(terms.feeWallet != address(0), "No fee wallet");
        maxFee = terms.maxFeeBps;
        feeWallet = terms.feeWallet;
        isExcludedFromFees[terms.feeWallet] = true;
        require(terms.buyFeeBps <= terms.maxFeeBps && terms.sellFeeBps <= terms.maxFeeBps, "Fee too high");
        buyFee = terms.buyFeeBps;
        sellFee = terms.sellFeeBps;
    }

    function setFees(uint16 buyFee_, uint16 sellFee_) external onlyOwner {
        require(buyFee_ <= maxFee && sellFee_ <= maxFee, "Fee too high");
        buyFee = buyFee_;
        sellFee = sellFee_;
        emit FeesUpdated(buyFee_, sellFee_);
    }

    function setFeeWallet(address wallet) external onlyOwner {
        require(wallet != address(0), "No fee wallet");
        feeWallet = wallet;
    }

    function setLimits(uint256 maxTransactionAmount_, uint256 maxWallet_) external onlyOwner {
        _setLimits(maxTransactionAmount_, maxWallet_);
    }

    function removeLimits() external onlyOwner {
        _setLimits(type(uint256).max, type(uint256).max);
    }

    function _onBuy(address buyer, uint256 amount) internal view override returns (uint256) {
        require(amount <= maxTransactionAmount, "Exceeds maxTransactionAmount");
        require(balanceOf[buyer] + amount <= maxWallet, "Exceeds maxWallet");
        return amount * buyFee / WHOLE_BPS;
    }

    function _onSell(address, uint256 amount) internal view override returns (uint256) {
        require(amount <= maxTransactionAmount, "Exceeds maxTransactionAmount");
        return amount * sellFee / WHOLE_BPS;
    }

    function _feeReceiver() internal view override returns (address) {
        return feeWallet;
    }

    function _setLimits(uint256 maxTransactionAmount_, uint256 maxWallet_) private {
        maxTransactionAmount = maxTransactionAmount_;
        maxWallet = maxWallet_;
        emit LimitsUpdated(maxTransactionAmount_, maxWallet_);
    }
}
