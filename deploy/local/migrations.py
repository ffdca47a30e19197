"""Brings databases to their newest version: python -m deploy.local.migrations, {package: address} on standard input."""

import json
import sys

from shared.migrations import upgrade

if __name__ == "__main__":
    for package, database_url in json.load(sys.stdin).items():
        upgrade(package, database_url)
