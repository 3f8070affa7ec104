"""Pure rules about the engine's state."""
