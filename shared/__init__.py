"""Mechanics and wire contracts that every service and the gateway stand on.

No business rule lives here: lifecycles are declared by their owners, events are facts of their owners.
"""
