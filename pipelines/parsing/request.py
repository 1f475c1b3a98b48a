"""What the pool and a fork server say to each other: one line of JSON each way, both written by trusted code."""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

from pipelines.parsing.detect import FileType


@dataclass(frozen=True)
class Request:
    """Read the file `content` in `directory` and leave the result there.

    Attributes:
        name: the document's name, for its title; not a path to anything.
    """

    directory: Path
    name: str
    file_type: FileType

    def to_json(self) -> str:
        return json.dumps({"directory": str(self.directory), "name": self.name, "file_type": self.file_type.value})

    @classmethod
    def from_json(cls, line: str) -> "Request":
        fields = json.loads(line)
        return cls(Path(fields["directory"]), fields["name"], FileType(fields["file_type"]))


@dataclass(frozen=True)
class Ending:
    """How a document's process ended.

    Attributes:
        exit_code: negative: the signal that ended it.
        timed_out: the server ended it because its wall time was over.
    """

    exit_code: int
    timed_out: bool

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, line: str) -> "Ending":
        return cls(**json.loads(line))
