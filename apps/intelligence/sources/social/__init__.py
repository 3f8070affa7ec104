"""Where people talk: X, Telegram, Discord. What they say is a hint at best, and may be bought."""
