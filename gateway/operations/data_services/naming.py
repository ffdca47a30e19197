"""How data services may be named."""

import re

CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{1,62}[A-Za-z0-9]")
RESERVED = frozenset({"listMethods", "allowedMethods", "getOpenAPI", "failures", "calls", "reruns"})
"""What the registry answers itself; X-Road reserves the first three likewise."""
