"""For systems that connect: a typed client made from the contract, a sandbox that answers, conformance both ways."""
