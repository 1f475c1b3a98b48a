"""Why a document is not taken in, in one plain sentence for its owner. No sentence quotes the document."""

from retrieval.domain.documents import QuarantineCode, Rejection


class Rejected(Exception):
    """Raised by a reader that gives a document up; carries the rejection."""

    def __init__(self, rejection: Rejection) -> None:
        super().__init__(rejection.code)
        self.rejection = rejection


EMPTY_FILE = Rejection(QuarantineCode.EMPTY, "The file is empty.")
NO_TEXT = Rejection(QuarantineCode.EMPTY, "No text was found in the file.")
ENCRYPTED = Rejection(QuarantineCode.ENCRYPTED, "The file is protected by a password. Save it without one, or exclude it.")
ENCRYPTED_MESSAGE = Rejection(QuarantineCode.ENCRYPTED, "The e-mail is encrypted. Save it decrypted, or exclude it.")
NESTED_TOO_DEEPLY = Rejection(QuarantineCode.CORRUPT, "The file is nested too deeply to be read. It is probably damaged.")
OUT_OF_MEMORY = Rejection(
    QuarantineCode.OUT_OF_MEMORY, "Reading the file took more memory than one document may use. Split it into smaller files, or exclude it."
)
KILLED = Rejection(
    QuarantineCode.OUT_OF_MEMORY,
    "The process that read the file was ended by the system, which is probably short of memory.",
    retryable=True,
)
CRASHED = Rejection(
    QuarantineCode.CRASHED, "The program that reads this kind of file crashed on it. Open the file and save it again, or exclude it."
)
UNUSABLE = Rejection(
    QuarantineCode.CRASHED, "The program that reads this kind of file gave back something unusable. Exclude the file and report it."
)
SERVER_LOST = Rejection(QuarantineCode.CRASHED, "The service that reads files stopped while it read this one.", retryable=True)
BINARY = Rejection(QuarantineCode.UNSUPPORTED, "The file is not a kind of document that can be read: its content is binary data.")
OUTPUT_TOO_LARGE = Rejection(
    QuarantineCode.TOO_LARGE, "The file holds more text than one document may have. Split it into smaller files, or exclude it."
)


def timed_out(seconds: int) -> Rejection:
    reason = f"The file could not be read within {seconds} seconds. Split it into smaller files, or exclude it."
    return Rejection(QuarantineCode.TIMED_OUT, reason, retryable=True)


def damaged(kind: str) -> Rejection:
    return Rejection(QuarantineCode.CORRUPT, f"The file is damaged or is not really {kind}. Open it, save it again, or exclude it.")


def unsupported(kind: str) -> Rejection:
    return Rejection(QuarantineCode.UNSUPPORTED, f"The file is {kind}, which is not a kind of document that can be read. Exclude it.")


def too_large(size_bytes: int, limit_bytes: int) -> Rejection:
    return Rejection(QuarantineCode.TOO_LARGE, f"The file has {_megabytes(size_bytes)}; the limit is {_megabytes(limit_bytes)}.")


def too_many(what: str, count: int, limit: int, *, code: QuarantineCode = QuarantineCode.TOO_LARGE) -> Rejection:
    return Rejection(code, f"The file has {count:,} {what}; the limit is {limit:,}. Split it into smaller files, or exclude it.")


def too_many_pages(what: str, count: int, limit: int) -> Rejection:
    return too_many(what, count, limit, code=QuarantineCode.TOO_MANY_PAGES)


def expands_too_much(detail: str) -> Rejection:
    return Rejection(QuarantineCode.EXPANDS_TOO_MUCH, f"The compressed file {detail}, which is more than a document may. Exclude it.")


def needs_program(kind: str, program: str, package: str) -> Rejection:
    reason = f"Reading {kind} needs the program {program}, which is not installed. Install the package {package} on the server."
    return Rejection(QuarantineCode.NEEDS_PROGRAM, reason, retryable=True)


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / 2**20:,.1f} MiB"
