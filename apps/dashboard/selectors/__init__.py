"""Reads what the pages show, one module a page. Writes nothing."""
