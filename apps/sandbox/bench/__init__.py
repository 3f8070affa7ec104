"""What the system takes in time and memory, measured on local chains of its own."""
