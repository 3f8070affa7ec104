"""EVM chains: JSON-RPC client, decoding, fees, simulation, sending, subscriptions, DEX adapters."""
