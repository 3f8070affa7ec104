// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// Answers in the place of a rollup's own oracle: of the OP stack's GasPriceOracle and of Arbitrum's NodeInterface. Local
/// chains charge nothing for data: this is for those who ask beforehand.
contract RollupDataFee {
    uint256 private constant SIGNATURE_BYTES = 68;
    uint256 private constant WEI_PER_BYTE = 5 gwei;
    uint64 private constant GAS_PER_BYTE = 100;

    function getL1Fee(bytes calldata unsignedTransaction) external pure returns (uint256) {
        return (unsignedTransaction.length + SIGNATURE_BYTES) * WEI_PER_BYTE;
    }

    function gasEstimateL1Component(address, bool, bytes calldata data)
        external
        payable
        returns (uint64 gasEstimateForL1, uint256 baseFee, uint256 l1BaseFeeEstimate)
    {
        return (uint64(data.length) * GAS_PER_BYTE, block.basefee, 1 gwei);
    }
}
