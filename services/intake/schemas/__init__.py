"""Bodies of intake's HTTP calls."""
