"""Text of pictures, by the program Tesseract."""

import io

from PIL import Image

from pipelines.parsing import programs, rejections
from pipelines.parsing.canonical import Block
from pipelines.parsing.formats.paragraphs import paragraphs
from pipelines.parsing.limits import Limits
from pipelines.parsing.rejections import Rejected

RESOLUTION = 200
"""Dots per inch. Twice as fast as 300 and as good on printed pages."""


class Reader:
    """Reads pictures in the configured languages.

    Raises:
        Rejected: on creation, when Tesseract is not installed.
    """

    def __init__(self, limits: Limits) -> None:
        self._program = programs.require("tesseract", kind="scanned pages and images", package="tesseract-ocr")
        self._languages = limits.ocr_languages

    def read(self, image: Image.Image, *, page: int) -> list[Block]:
        picture = io.BytesIO()
        image.convert("L").save(picture, "PPM")
        arguments = [self._program, "stdin", "stdout", "-l", self._languages, "--dpi", str(RESOLUTION)]
        finished = programs.run(arguments, given=picture.getvalue())
        if finished.returncode != 0:
            self._explain(finished.stderr)
        return list(paragraphs(finished.stdout.decode("utf-8", errors="replace"), page=page))

    def _explain(self, errors: bytes) -> None:
        """A missing language is the server's fault; an empty or tiny picture is nobody's and has no text."""
        if b"traineddata" in errors or b"Failed loading language" in errors:
            raise Rejected(
                rejections.needs_program("this language", "tesseract with its language data", f"tesseract-ocr-{self._languages}")
            )
