"""Figures of the running system, read from the database: once for the metrics, the monitor page, the sockets and the API."""
