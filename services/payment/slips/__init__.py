"""Receipts as people hold them: printed, sealed, in Vietnamese."""
