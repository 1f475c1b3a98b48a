"""Pictures of the console for the README, over the sample company: `python -m tests.web.screenshots [--data FOLDER]`.

The folder is a data directory in which `archivist demo` has run once; a new one is filled by it first, which takes a minute or two. The
sample questions are asked on twelve days by those who may read what answers them, and their owners decide most of what is left open.
"""

import argparse
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from PIL import Image
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from retrieval import bootstrap
from retrieval.bootstrap import service as service_module
from retrieval.domain.escalations import EscalationState
from retrieval.domain.keys import KeyTerms, issue, key_holder
from retrieval.domain.permissions import Principal
from retrieval.domain.queries import Query
from retrieval.domain.reviews import Approval, Decision, QueueFilter, Rejection
from retrieval.domain.roles import Role
from retrieval.settings import Settings
from tests.api.conftest import FakeClock
from tests.web.chromium import PHONE, chromium, served
from tests.web.test_browser import press, see, sign_in

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "data/screenshots"
QUESTIONS = ROOT / "data/samples/questions.yaml"
DAYS = 12
ASKER, REVIEWER = "mara", "tobias"
REVIEWED = "After how many cycles must the rope set of a fish lift be replaced?"
SHOWN = "Who found the broken rope strand at Dunfold and when?"
MAX_BYTES = 120_000
COLOURS = 64


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="a data directory in which `archivist demo` has run; default: a new one")
    chosen = parser.parse_args().data
    with TemporaryDirectory() as scratch:
        settings = Settings(data_directory=chosen or Path(scratch) / "archivist")
        if chosen is None:
            subprocess.run([sys.executable, "-m", "api.cli.main", "demo", "--exit"], env=settings.as_environment(), check=False)
        with company(settings) as desk:
            desk.lives()
            with served(desk) as address, chromium(Path(scratch) / "profile") as driver:
                photograph(desk, address, driver)


@dataclass(frozen=True)
class Desk:
    """The sample company's service, at a clock that is set."""

    service: bootstrap.Service
    clock: FakeClock

    def app(self) -> Any:
        from api.app import create_app  # noqa: PLC0415 - after the clock was put in its place

        return create_app(self.service, clock=self.clock)

    def key(self, name: str, *roles: Role) -> str:
        key, stored = issue(key_holder(f"user:{name}"), KeyTerms(frozenset(roles), days=90), now=self.clock.at)
        self.service.catalog.keys.add(stored)
        return key.written

    def lives(self) -> None:
        """The sample questions, day after day; all but the last few are decided."""
        questions = yaml.safe_load(QUESTIONS.read_text(encoding="utf-8"))
        for number, question in enumerate(questions):
            self.clock.at += timedelta(days=DAYS) / len(questions)
            reader = next((name for name in question["readers"] if name != REVIEWER), ASKER)
            query = Query(question["question"], top_k=8, depth=100)
            self.service.answers.answer(Principal(reader), query, person_wanted=True, request_id=f"sample{number:010d}")
            if number < len(questions) * 0.8:
                self.decides(str(question["passage"] or ""))
        self.service.answers.answer(Principal("ines"), Query(REVIEWED, top_k=8, depth=100), person_wanted=True, request_id="reviewed")

    def drafted(self) -> str:
        """Id of an escalation that waits for the reviewer and has a draft to decide on; of any where none has one."""
        waiting = self.service.reviews.queue(Principal(REVIEWER), QueueFilter(state=EscalationState.OPEN), after="", count=100)
        items = [self.service.reviews.item(Principal(REVIEWER), entry.id) for entry in waiting]
        return max(items, key=lambda item: (item.entry.question == REVIEWED, len(item.draft))).entry.id

    def decides(self, passage: str) -> None:
        """Whoever answers for the source, an hour or so later."""
        for owner in ("tobias", "hedda", "priya"):
            principal = Principal(owner)
            for entry in self.service.reviews.queue(principal, QueueFilter(), after="", count=100):
                if not entry.state.is_pending:
                    continue
                self.clock.at += timedelta(minutes=10 + len(entry.question) % 40)
                claimed = self.service.reviews.claim(principal, entry.id, expected=entry.version)
                self.clock.at += timedelta(minutes=3 + len(entry.question) % 11)
                item = self.service.reviews.item(principal, entry.id)
                is_right = passage[:25] in " ".join(sentence.text for sentence in item.draft) if passage else False
                may_approve = is_right and item.draft and not item.is_withheld
                decision = Decision(Approval() if may_approve else Rejection("It is not in the documents."))
                self.service.reviews.decide(principal, entry.id, decision, expected=claimed.version)


@contextmanager
def company(settings: Settings) -> Iterator[Desk]:
    clock = FakeClock(datetime.now(UTC) - timedelta(days=DAYS))
    service_module.open_catalog = partial(bootstrap.open_catalog, clock=clock)  # type: ignore[assignment]
    with bootstrap.open_service(settings) as service:
        yield Desk(replace(service, clock=clock), clock)


def photograph(desk: Desk, address: str, driver: Chrome) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    sign_in(driver, address, desk.key(ASKER, Role.USER))
    driver.find_element(By.ID, "question").send_keys(SHOWN)
    press(driver, "Ask")
    see(driver, "p.sentence, .answer")
    save(driver, "answer", height=760)
    see(driver, ".sources .title a").send_keys(Keys.ENTER)
    driver.switch_to.window(driver.window_handles[-1])
    see(driver, "mark#span")
    save(driver, "document", height=620)
    driver.get(f"{address}/console")
    press(driver, "Sign out")
    see(driver, "#key")

    sign_in(driver, address, desk.key(REVIEWER, Role.USER, Role.REVIEWER))
    driver.get(f"{address}/console/reviews")
    save(driver, "queue", height=820)
    waiting = desk.drafted()
    driver.get(f"{address}/console/reviews/{waiting}")
    press(driver, "Work on it")
    see(driver, "#decide-head")
    save(driver, "review", height=1000)
    driver.execute_script("document.querySelector('#draft-head').scrollIntoView()")  # type: ignore[no-untyped-call]
    save(driver, "decide", height=1000)
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark"}]})
    driver.get(f"{address}/console/reviews/{waiting}")
    save(driver, "phone", width=PHONE[0], height=900)
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    driver.get(f"{address}/console/statistics?days=30")
    save(driver, "statistics", height=950)
    press(driver, "Sign out")
    see(driver, "#key")
    photograph_sources(desk, address, driver)


def photograph_sources(desk: Desk, address: str, driver: Chrome) -> None:
    sign_in(driver, address, desk.key(REVIEWER, Role.DATA_OWNER))
    see(driver, "table.sources")
    save(driver, "sources", height=900)


def save(driver: Chrome, name: str, *, width: int = 1100, height: int) -> None:
    """As a PNG with few colours. Raises ValueError: it is larger than a README should load."""
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width == PHONE[0]}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    file = PICTURES / f"{name}.png"
    driver.save_screenshot(str(file))
    Image.open(file).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(file, optimize=True)
    if file.stat().st_size > MAX_BYTES:
        raise ValueError(f"{file} has {file.stat().st_size} bytes")
    print(file.relative_to(ROOT), file.stat().st_size)


if __name__ == "__main__":
    main()
