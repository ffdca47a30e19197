"""Conformance, both ways: the door as a partner sees it, and a partner as we see it."""
