"""What writes pairs, tokens, cursors and pool activity."""
