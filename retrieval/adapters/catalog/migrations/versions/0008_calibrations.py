"""Calibrations of confidence, and the verdicts that they are learned from."""

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Filled by the tables of this subject."""
