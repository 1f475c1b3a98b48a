"""Bytes to text. A wrong guess stores mojibake for ever, so what the bytes prove goes first and guesses last."""

import codecs
import re

import charset_normalizer

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DECLARED = re.compile(rb"""<\?xml[^>]{0,100}\bencoding=["']([\w.:-]+)|<meta[^>]{0,200}\bcharset=["']?\s*([\w.:-]+)""", re.IGNORECASE)
_SNIFFED_BYTES = 4096
_GUESSED_BYTES = 256 * 1024

_OTHER_SCRIPTS = re.compile(
    r"big5\w*|gb\w+|hz|shift_jis\w*|cp932|euc_\w+|cp949|johab|iso2022\w*|koi8_\w+|cp125[1356]|cp874|iso8859_[5678]|tis_620|mac_(?:cyrillic|greek)"
)
"""Encodings that a guess is believed for. Between the Western and Central European ones a short text cannot decide, and Windows-1252
is by far the most frequent: the guess would turn "façade" into "faēade"."""


def decode(content: bytes) -> str:
    """Text of a plain file: by byte order mark, as UTF-8, as unmarked UTF-16 or UTF-32, as a guessed other script, else as Windows-1252."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return content.decode(encoding, errors="replace")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = ""
    if text and "\x00" not in text:
        return text
    wide = _unmarked_wide(content)
    if wide is not None:
        return content.decode(wide, errors="replace")
    return text or content.decode(_guess(content), errors="replace")


def decode_markup(content: bytes) -> str:
    """Text of HTML or XML: as `decode`, but a declared encoding goes before a guess."""
    declared = _DECLARED.search(content[:_SNIFFED_BYTES])
    if declared is None or content.startswith(tuple(mark for mark, _ in _MARKS)):
        return decode(content)
    encoding = (declared.group(1) or declared.group(2)).decode("ascii").lower()
    try:
        # Browsers read Latin 1 as Windows-1252, and so do the people who write it.
        return content.decode("cp1252" if encoding in ("iso-8859-1", "latin-1", "latin1") else encoding)
    except (LookupError, UnicodeDecodeError):
        return decode(content)


def _unmarked_wide(content: bytes) -> str | None:
    """UTF-16 or UTF-32 without a mark, told by where the zeros of Western letters stand."""
    sample = content[:_SNIFFED_BYTES]
    if len(sample) < 4 or b"\x00" not in sample:
        return None
    zeros = [sample[offset::4].count(0) / max(len(sample[offset::4]), 1) for offset in range(4)]
    if min(zeros[1:]) > 0.9:
        return "utf-32-le"
    if min(zeros[:3]) > 0.9:
        return "utf-32-be"
    if min(zeros[1], zeros[3]) > 0.4 > max(zeros[0], zeros[2]):
        return "utf-16-le"
    if min(zeros[0], zeros[2]) > 0.4 > max(zeros[1], zeros[3]):
        return "utf-16-be"
    return None


def _guess(content: bytes) -> str:
    best = charset_normalizer.from_bytes(content[:_GUESSED_BYTES]).best()
    if best is not None and _OTHER_SCRIPTS.fullmatch(best.encoding):
        return best.encoding
    return "cp1252"
