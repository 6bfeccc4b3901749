from tests.store.postgres import (
    empty_postgres_url,
    postgres_server,
    postgres_template,
    postgres_url,
)

__all__ = ["empty_postgres_url", "postgres_server", "postgres_template", "postgres_url"]
