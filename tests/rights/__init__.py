"""Who may do what: every endpoint of every process, taken from its OpenAPI document, and everybody who should not."""
