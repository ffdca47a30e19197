"""The service on servers of its own: what is done to it here would be in the way of its other tests."""

from tests.intake.conftest import app, counter, database_url, folder, settings

__all__ = ["app", "counter", "database_url", "folder", "settings"]
