"""Every sample document that people sent to another project is parsed or given up with a reason; none hangs or crashes."""

from collections import Counter
from pathlib import Path

import pytest

from pipelines.parsing.sandbox import ParseJob, ParsePool
from retrieval.domain.documents import ParsedDocument, QuarantineCode
from retrieval.settings import Settings


@pytest.mark.slow
def test_every_sample_is_parsed_or_rejected_with_a_reason(samples: Path) -> None:
    paths = sorted(path for path in samples.rglob("*") if path.is_file())
    jobs = (ParseJob(str(path.relative_to(samples)), path.name, path.read_bytes()) for path in paths)

    with ParsePool(Settings(parse_max_ocr_pages=3)) as pool:
        results = {job.key: result for job, result in pool.parse_many(jobs)}

    outcomes = Counter("parsed" if isinstance(result, ParsedDocument) else result.code.value for result in results.values())
    print(f"{len(results)} samples: {dict(outcomes)}")
    assert len(results) == len(paths)
    assert outcomes["parsed"] >= 0.85 * len(paths)
    ours = {QuarantineCode.CRASHED, QuarantineCode.TIMED_OUT, QuarantineCode.OUT_OF_MEMORY}
    assert not {key for key, result in results.items() if not isinstance(result, ParsedDocument) and result.code in ours}
    for document in (result for result in results.values() if isinstance(result, ParsedDocument)):
        assert document.title
        assert "\n\n".join(element.span.of(document.text) for element in document.elements) == document.text
