"""The national portal: its words (messages), its wire (client), and paying what it is owed in order (debts)."""
