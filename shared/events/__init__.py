"""The facts that services tell each other: one module per owner, one class per fact and version."""
