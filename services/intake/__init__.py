"""Intake: owns the catalogue of procedures and every dossier up to its acceptance.

Publishes intake.procedure.published, intake.dossier.* , intake.supplement.provided and intake.withdrawal.requested;
listens to what workflow tells about supplements, withdrawals and the end of a case.
"""
