"""The offline verifier of the transaction log."""
