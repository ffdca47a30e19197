"""The national portal: its words (messages), the port to it and its dialects, and paying what it is owed (debts)."""
