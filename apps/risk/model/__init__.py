"""The calibrated probability of loss: its inputs, its shipped parameters, and how they are fitted and measured."""
