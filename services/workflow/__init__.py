"""Workflow owns processes, cases, tasks and their clocks, from a dossier's acceptance to its completion.

Publishes workflow.case.*, workflow.task.* and workflow.withdrawal.refused; consumes published procedures, accepted
dossiers, provided supplements, withdrawal requests and settled fees. README.md tells the rest.
"""
