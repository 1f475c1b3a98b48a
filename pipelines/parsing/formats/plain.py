"""Plain text."""

from pipelines.parsing.canonical import Reading
from pipelines.parsing.detect import MEDIA_TYPES, FileType
from pipelines.parsing.formats.decode import decode
from pipelines.parsing.formats.paragraphs import paragraphs
from pipelines.parsing.source import Source


def read_text(source: Source) -> Reading:
    return Reading(MEDIA_TYPES[FileType.TXT], "text", list(paragraphs(decode(source.content))))
