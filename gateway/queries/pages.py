"""How much one answer lists."""

PAGE_MAX = 1000
