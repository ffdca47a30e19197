"""Real processes are killed, stopped and frozen; afterwards nothing is lost, doubled or out of order."""
