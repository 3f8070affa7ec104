"""DEX protocols on EVM chains."""
