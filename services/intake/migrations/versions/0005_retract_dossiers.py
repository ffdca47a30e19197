"""Let a dossier that was entered by mistake be struck off."""

from alembic import op

<<<<<<< HEAD:services/intake/migrations/versions/0005_retract_dossiers.py
revision = "0005"
down_revision = "0004"
=======
revision = "0009"
down_revision = "0008"
>>>>>>> 057ea31534f7b20875c63ce45d2657d67d4496bb:services/intake/migrations/versions/0009_retract_dossiers.py
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE dossier ADD retracted_at timestamptz, ADD retracted_by text, ADD retraction_reason text")


def downgrade() -> None:
    op.execute("ALTER TABLE dossier DROP retracted_at, DROP retracted_by, DROP retraction_reason")
