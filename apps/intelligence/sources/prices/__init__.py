"""Where candles come from: one file per service, each behind the same port."""
