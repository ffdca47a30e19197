"""The service on servers of its own: what is done to it here would be in the way of its other tests."""

from tests.workflow.conftest import database_url

__all__ = ["database_url"]
