"""Printed matter: slips and receipts as PDF/A, set by typst."""
