"""The sandbox: a partner submits a dossier under a test identity, and invented officials act as that identity says."""
