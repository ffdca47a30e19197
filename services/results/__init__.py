"""The archive of results: signed documents, their way to the owner, and the public check of them.

Owns: results and their documents, who read which and why.
Publishes: results.result.{drafted,issued,returned,superseded,revoked}.v1
Consumes: the acceptance of a dossier, the end of its case, fees that fall due when the result is returned.
"""
