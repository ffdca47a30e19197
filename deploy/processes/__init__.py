"""Processes from files: checked offline, or brought into workflow's database."""
