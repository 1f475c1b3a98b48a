"""Questions handed to people, what they decided, and its delivery."""

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Filled by the tables of this subject."""
