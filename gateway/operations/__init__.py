"""The gateway's verbs: fold events into views, register clients, write the transaction log."""
