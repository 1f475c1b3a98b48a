"""What one document may cost. Plain numbers, so that they travel to the parsing processes without the settings."""

import dataclasses
import json
from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Limits of one document. Sizes are in bytes, times in seconds."""

    file_bytes: int
    wall_seconds: int
    cpu_seconds: int
    memory_bytes: int
    text_characters: int
    expanded_bytes: int
    archive_members: int
    compression_ratio: int
    pages: int
    ocr_pages: int
    image_pixels: int
    table_cells: int
    attachments: int
    ocr_languages: str

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Limits":
        return cls(**json.loads(text))
