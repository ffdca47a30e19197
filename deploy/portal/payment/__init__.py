"""The national payment platform v1.0.6 (DOMAIN.md §3.1), played by the portal."""
