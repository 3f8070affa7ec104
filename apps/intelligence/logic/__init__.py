"""What facts mean: pure estimates, each with its bounds or the reason why it is unknown."""
