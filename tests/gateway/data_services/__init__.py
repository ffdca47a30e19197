"""Data services: registry, data plane, failures."""
