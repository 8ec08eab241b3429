"""Alembic migrations, each named for what it does."""
