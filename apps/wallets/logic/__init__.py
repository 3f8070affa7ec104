"""Pure rules about wallets."""
