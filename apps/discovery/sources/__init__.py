"""Web feeds that name pairs. What they say is a hint: the chain must confirm it."""
