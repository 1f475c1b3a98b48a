"""The pool and its processes: started when needed, replaced when lost, gone in every case."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

import pytest

from pipelines.parsing.sandbox import ParseJob, ParsePool
from retrieval.domain.documents import ParsedDocument, QuarantineCode, Rejection
from retrieval.settings import Settings

ROOT = Path(__file__).parents[3]
HANGING = b"[" * 400_000


def children_of(pid: int) -> list[int]:
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                fields = (process / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == pid and fields[0] != "Z":
                found.append(int(process.name))
    return found


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def eventually(condition: Callable[[], bool], *, seconds: float = 15) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return condition()


def test_no_server_starts_before_it_is_needed() -> None:
    with ParsePool(Settings()) as pool:
        pool.parse(b"Words.", name="a.txt")

        assert pool._light.pid is not None
        assert pool._heavy.pid is None


def test_close_leaves_no_process_and_no_file_behind() -> None:
    pool = ParsePool(Settings())
    pool.parse(b"Words.", name="a.txt")
    server, scratch = pool._light.pid, pool._scratch.path
    assert server is not None
    assert alive(server)

    pool.close()

    assert not alive(server)
    assert not scratch.exists()


def test_a_closed_pool_refuses_further_documents() -> None:
    pool = ParsePool(Settings())
    pool.close()

    with pytest.raises(RuntimeError, match="closed"):
        pool.parse(b"Words.", name="a.txt")


def test_a_lost_server_is_replaced_and_its_document_may_be_tried_again() -> None:
    with ParsePool(Settings()) as pool:
        pool.parse(b"Words.", name="a.txt")
        first = pool._light.pid
        assert first is not None
        results: list[ParsedDocument | Rejection] = []
        parsing = Thread(target=lambda: results.append(pool.parse(HANGING, name="a.md")))
        parsing.start()
        assert eventually(lambda: children_of(first) != [])
        (child,) = children_of(first)

        os.kill(first, signal.SIGKILL)
        parsing.join(30)
        after = pool.parse(b"Words.", name="a.txt")

        assert isinstance(results[0], Rejection)
        assert (results[0].code, results[0].retryable) == (QuarantineCode.CRASHED, True)
        assert isinstance(after, ParsedDocument)
        assert pool._light.pid != first
        assert eventually(lambda: not alive(child))


def test_a_document_whose_process_is_killed_is_rejected_alone() -> None:
    with ParsePool(Settings()) as pool:
        pool.parse(b"Words.", name="a.txt")
        server = pool._light.pid
        assert server is not None
        results: list[ParsedDocument | Rejection] = []
        parsing = Thread(target=lambda: results.append(pool.parse(HANGING, name="a.md")))
        parsing.start()
        assert eventually(lambda: children_of(server) != [])

        os.kill(children_of(server)[0], signal.SIGSEGV)
        parsing.join(30)

        assert isinstance(results[0], Rejection)
        assert results[0].code is QuarantineCode.CRASHED
        assert pool._light.pid == server


def test_servers_and_children_end_when_the_parent_is_killed() -> None:
    program = (
        "import sys\n"
        "from pipelines.parsing.sandbox import ParsePool\n"
        "from retrieval.settings import Settings\n"
        "pool = ParsePool(Settings())\n"
        "pool.parse(b'Words.', name='a.txt')\n"
        "print(pool._light.pid, pool._scratch.path, flush=True)\n"
        "pool.parse(b'[' * 400_000, name='a.md')\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        server = int(parent.stdout.readline().split()[0])
        assert eventually(lambda: children_of(server) != [])
        (child,) = children_of(server)

        parent.kill()
        parent.wait()

        assert eventually(lambda: not alive(server) and not alive(child))


def test_many_documents_are_parsed_as_they_finish_and_none_is_lost() -> None:
    jobs = [ParseJob(str(number), "a.txt", f"Document {number}.".encode()) for number in range(40)]

    with ParsePool(Settings()) as pool:
        results = {job.key: result for job, result in pool.parse_many(jobs)}

    assert {key: result.text for key, result in results.items() if isinstance(result, ParsedDocument)} == {
        str(number): f"Document {number}." for number in range(40)
    }


def test_a_slow_document_does_not_hold_up_the_others() -> None:
    jobs = [ParseJob("slow", "a.md", HANGING), *(ParseJob(str(number), "a.txt", b"Words.") for number in range(10))]

    with ParsePool(Settings(parse_wall_seconds=8)) as pool:
        order = [job.key for job, _ in pool.parse_many(jobs)]

    assert order[-1] == "slow"


def test_the_input_is_read_only_a_little_ahead() -> None:
    taken = 0

    def jobs() -> Iterator[ParseJob]:
        nonlocal taken
        for number in range(100):
            taken += 1
            yield ParseJob(str(number), "a.txt", b"Words.")

    with ParsePool(Settings()) as pool:
        results = pool.parse_many(jobs())
        next(results)
        assert taken <= 6
        results.close()  # type: ignore[attr-defined]  a generator, called an iterator


def test_the_child_sees_none_of_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHIVIST_QDRANT_API_KEY", "swordfish")

    with ParsePool(Settings()) as pool:
        pool.parse(b"Words.", name="a.txt")
        environment = Path(f"/proc/{pool._light.pid}/environ").read_bytes()

    assert b"swordfish" not in environment
