"""What survives a restart: SQLite or PostgreSQL through SQLAlchemy, or the memory of a test."""
