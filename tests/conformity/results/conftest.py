"""The service on servers of its own: what is done to it here would be in the way of its other tests."""

from tests.results.conftest import app, database_url, desk, folder, seal, seals, trust

__all__ = ["app", "database_url", "desk", "folder", "seal", "seals", "trust"]
