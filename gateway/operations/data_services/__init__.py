"""Data services: the registry, what failed, and what is sent again."""
