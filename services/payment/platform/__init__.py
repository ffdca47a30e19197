"""The providers, each behind the same port: their words, our calls to them, their notices to us."""
