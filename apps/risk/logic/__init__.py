"""May we: rules, score and cool-downs, all pure."""
