"""The four services; each owns its data and knows none of the others."""
