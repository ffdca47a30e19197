"""A time-stamping authority (RFC 3161) for stacks without one: small, real, with a certificate authority of its own."""
