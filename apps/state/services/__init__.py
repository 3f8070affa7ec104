"""Services that write how the system runs."""
