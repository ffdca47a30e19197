"""Brings databases to their newest version: python -m deploy.local.migrations.

On standard input {package: [address, role]}; an empty role is that of whoever logs in.
"""

import json
import sys

from shared.migrations import upgrade

if __name__ == "__main__":
    for package, (database_url, role) in json.load(sys.stdin).items():
        upgrade(package, database_url, role=role)
