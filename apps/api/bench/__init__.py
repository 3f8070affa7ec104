"""Measurements of what the API's sockets bear."""
