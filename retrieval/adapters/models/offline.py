"""Keeps the model libraries off the network."""

import os


def stay_offline() -> None:
    """To be called before the first of them is imported, because that is when they read the variable."""
    os.environ["HF_HUB_OFFLINE"] = "1"  # noqa: TID251 -- a vendor's own variable, set for it and never read here
