"""The verbs of `processes`, `cases` and `tasks`; `flow` moves a case on, `clock` only computes."""
