"""Calendars that ship with the product: one JSON document per calendar, read by shared.worktime."""
