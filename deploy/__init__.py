"""How the system is run: the `motcua` command, the local stack, the mocked national portal."""
