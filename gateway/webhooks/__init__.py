"""Telling receivers of changes by calls to them, as the Standard Webhooks specification says (1.0.0)."""
