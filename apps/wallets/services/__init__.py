"""Services that write wallets and their nonces."""
