"""Pure parts of what watches the running system."""
