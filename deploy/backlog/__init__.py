"""The backlog comes in: scans with their index, checked, stored and kept, however often the import is interrupted."""
