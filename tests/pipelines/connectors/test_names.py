"""Names of files and what they are in keys."""

import pytest

from pipelines.connectors.names import is_temporary, names_in_keys


@pytest.mark.parametrize("name", ["~$plan.docx", "notes.txt~", "#notes#", "a.TMP", "x.swp", "movie.crdownload", "Thumbs.db", "desktop.ini"])
def test_what_a_program_left_behind_is_no_document(name):
    assert is_temporary(name)


@pytest.mark.parametrize("name", ["plan.docx", "a~b.txt", "#1 priority.md", "template.txt", "tmp"])
def test_a_document_is_a_document(name):
    assert not is_temporary(name)


def test_decomposed_names_are_composed():
    keys = names_in_keys(["cafe\u0301.txt", "plain.txt"])

    assert keys == {"cafe\u0301.txt": "caf\u00e9.txt", "plain.txt": "plain.txt"}


def test_names_that_would_become_one_stay_as_they_are():
    keys = names_in_keys(["cafe\u0301.txt", "caf\u00e9.txt"])

    assert keys == {"cafe\u0301.txt": "cafe\u0301.txt", "caf\u00e9.txt": "caf\u00e9.txt"}


def test_bytes_that_are_no_text_are_written_out():
    keys = names_in_keys(["caf\udce9.txt"])

    assert keys == {"caf\udce9.txt": "caf\\xe9.txt"}


def test_names_that_cannot_be_told_apart_are_an_error():
    with pytest.raises(ValueError, match="two names"):
        names_in_keys(["caf\udce9.txt", "caf\\xe9.txt"])
