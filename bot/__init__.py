"""A self-hosted bell for crypto gamma levels."""
