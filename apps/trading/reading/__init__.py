"""What pages and API show of trading, read once for both. Writes nothing."""
