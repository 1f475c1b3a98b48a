"""Keeping an index true to the catalog: following its changes, building anew, answering only from what has caught up."""
