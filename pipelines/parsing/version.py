"""The version of everything that decides what a document's canonical text is."""

PARSER_VERSION = "1"
"""Raise it when the same bytes may give another text, element or title: every document is then parsed again."""
