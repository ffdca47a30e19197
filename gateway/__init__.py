"""The one door: clients and rights, routing, transaction log, and the national portal kept exactly informed.

Owns no business status: it folds everyone's events into one view of each dossier.
Consumes every event; publishes none.
"""
