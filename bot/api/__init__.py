"""The HTTP API: its contract as types and tables, its endpoints, and the server."""
