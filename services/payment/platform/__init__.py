"""The national payment platform v1.0.6 (DVCQG): its messages, our calls to it, its callback to us."""
