"""The wire contract of the HTTP API; so far the terminal prints it."""
