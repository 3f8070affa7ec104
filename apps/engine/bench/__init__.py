"""What parts of the system take, measured without a chain."""
