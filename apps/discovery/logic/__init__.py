"""Pure judgements about pairs, blocks and pools: no database, no network, no clock."""
