"""Trading on paper: fills from live pools, nothing signed, nothing sent."""
