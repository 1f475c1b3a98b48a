"""What answers cost, and how much applications may spend."""

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Filled by the tables of this subject."""
