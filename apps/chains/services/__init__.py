"""Writing about chains."""
