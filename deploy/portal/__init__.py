"""The mocked national portal (Cổng DVCQG) and its payment platform, as a process of its own.

Owns: what a province told the portal, in order, and what citizens paid, in SQLite in its folder.
Speaks: the legacy adapter's words (/auth, /integration, /share) and the payment platform v1.0.6 (/payment/*).
Calls: the gateway, for dossiers born on the portal and for payment callbacks.
"""
