"""The mocked bank: it keeps the agencies' accounts, tells of credits by push, inquiry and statement, and misbehaves."""
