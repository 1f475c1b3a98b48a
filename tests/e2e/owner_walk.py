"""A data owner's way through the product in a real browser, from a folder to the first answer, a mistake and back.

`python -m tests.e2e.owner_walk [--documents 200] [--pictures data/screenshots]` walks it and says how long each part took.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from api.cli.stack import Stack
from retrieval.settings import Settings
from tests.ports import free_port
from tests.web.chromium import chromium

PATIENCE_SECONDS = 300.0
PICTURE = (1400, 900)
QUESTION = "After how many days must pump P-7 be oiled?"
RIGHT, WRONG = "Pump P-7 must be oiled after 30 days.", "Pump P-7 must be oiled after 300 days."
SOURCE, OWNER = "pumps", "dana"


def write_documents(folder: Path, count: int) -> None:
    """Short manuals in four formats; the first says what is asked."""
    folder.mkdir(parents=True)
    for number in range(count):
        days = 30 + number
        words = f"Pump P-{number + 7} must be oiled after {days} days. Its valve is checked by the shift lead before it starts."
        title = f"Pump P-{number + 7}"
        written = {
            ".md": f"# {title}\n\n{words}\n",
            ".txt": f"{title}\n\n{words}\n",
            ".html": f"<html><title>{title}</title><body><h1>{title}</h1><p>{words}</p></body></html>",
            ".csv": f"pump,days\n{title},{days}\n",
        }
        suffix = ".md" if number == 0 else list(written)[number % len(written)]
        (folder / f"pump-{number + 7:03}{suffix}").write_text(written[suffix])


@dataclass
class Walk:
    """One browser before one installation. `pictures`: where they go, None for none."""

    stack: Stack
    driver: Chrome
    folder: Path
    pictures: Path | None = None
    took: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        begun = time.monotonic()
        yield
        self.took[name] = round(time.monotonic() - begun, 1)

    def picture(self, name: str) -> None:
        if self.pictures is not None:
            time.sleep(0.5)
            self.driver.save_screenshot(str(self.pictures / f"{name}.png"))

    def picture_of_report(self, name: str) -> None:
        """Of what a run says in full, which its log shows in a dialog."""
        if self.pictures is not None:
            self.button("View full message").click()
            self.picture(name)
            self.driver.find_element(By.TAG_NAME, "body").send_keys(Keys.ESCAPE)

    def wait(self, found: Callable[[], object], *, of: str) -> None:
        """Until it is found; what is said instead is in the failure."""
        until = time.monotonic() + PATIENCE_SECONDS
        while not found():
            assert time.monotonic() < until, f"{of} did not come; the page says: {self.text()[-2000:]}"
            time.sleep(0.2)

    def text(self) -> str:
        return str(self.driver.find_element(By.TAG_NAME, "body").text)

    def button(self, words: str) -> WebElement:
        self.wait(lambda: self._buttons(words), of=f"button {words}")
        return self._buttons(words)[0]

    def _buttons(self, words: str) -> list[WebElement]:
        return [each for each in self.driver.find_elements(By.TAG_NAME, "button") if each.text.strip() == words and each.is_enabled()]

    def sign_in(self, key: str) -> None:
        self.driver.get(f"{self.stack.api_url}/console/sources")
        self.driver.find_element(By.ID, "key").send_keys(key, Keys.ENTER)
        self.wait(lambda: "Your sources" in self.text(), of="the page of sources")

    def link(self, words: str) -> str:
        """Where a link of the page that is shown leads."""
        return str(self.driver.find_element(By.LINK_TEXT, words).get_attribute("href"))

    def open_form(self, link: str) -> str:
        """The launchpad with what it was opened with."""
        self.driver.get(link)
        self.wait(lambda: self.driver.find_elements(By.CSS_SELECTOR, ".CodeMirror"), of="the launchpad")
        self.wait(lambda: "source" in self.form() or "id:" in self.form(), of="the form")
        return self.form()

    def form(self) -> str:
        return str(self.driver.execute_script("return document.querySelector('.CodeMirror').CodeMirror.getValue()"))

    def fill(self, text: str) -> None:
        self.driver.execute_script("document.querySelector('.CodeMirror').CodeMirror.setValue(arguments[0])", text)

    def launch(self) -> str:
        """Launch what the form says and wait until the run has ended well. Returns its id."""
        self.button("Launch Run").click()
        self.wait(lambda: "/runs/" in self.driver.current_url, of="the run")
        run = self.driver.current_url.rpartition("/")[2].partition("?")[0]
        self.wait(lambda: self.status(run) in {"SUCCESS", "FAILURE", "CANCELED"}, of="the end of the run")
        assert self.status(run) == "SUCCESS", self.text()
        return run

    def status(self, run: str) -> str:
        query = "query($run: ID!) { runOrError(runId: $run) { ... on Run { status } } }"
        return str(self.dagster(query, run=run)["runOrError"]["status"])

    def dagster(self, query: str, **variables: object) -> dict[str, dict[str, object]]:
        asked = {"query": query, "variables": variables}
        return dict(httpx.post(f"{self.stack.dagster_url}/graphql", json=asked, timeout=30, trust_env=False).json()["data"])

    def filled(self, template: str, **values: str) -> str:
        """The template with these fields filled in, the rest as it came."""
        for name, value in values.items():
            template, found = re.subn(rf"(?m)^(# ?)?{name}:.*$", lambda _, name=name, value=value: f"{name}: {value}", template, count=1)  # type: ignore[misc]
            assert found, f"the template has no {name}"
        return template

    def answer(self, key: str) -> str:
        """What the first sentence of the answer says, or why there is none."""
        headers = {"Authorization": f"Bearer {key}"}
        said = httpx.post(f"{self.stack.api_url}/answer", json={"query": QUESTION}, headers=headers, timeout=30, trust_env=False)
        sentences = said.json()["sentences"] if said.is_success else []
        return str(sentences[0]["text"]) if sentences else f"none: {said.json()}"


def new_key(settings: Settings, *arguments: str) -> str:
    command = [sys.executable, "-m", "api.cli.main", "keys", "create", "--user", OWNER, "--json", *arguments]
    made = subprocess.run(command, env=settings.as_environment(), capture_output=True, text=True, check=True)
    return str(json.loads(made.stdout)["key"])


def walked(walk: Walk, settings: Settings) -> None:
    """From the folder to the first answer."""
    owner = new_key(settings, "--role", "data_owner", "--role", "user", "--group", "works")
    with walk.timed("to the first answer"):
        walk.sign_in(owner)
        register = walk.link("files")
        form = walk.open_form(register)
        values = {"id": SOURCE, "title": "Pumps", "owner": f"user:{OWNER}", "root": str(walk.folder), "rules": '["**: allow group:works"]'}
        walk.fill(walk.filled(form, **values))
        walk.picture("register")
        with walk.timed("the dry run"):
            walk.launch()
        walk.picture_of_report("dry-run")
        walk.open_form(register)
        walk.fill(walk.filled(form, **values, dry_run="false"))
        with walk.timed("the registration"):
            walk.launch()
        with walk.timed("ingestion, until it is answered"):
            walk.wait(lambda: walk.answer(owner) == RIGHT, of="the answer")
        walk.driver.get(f"{walk.stack.api_url}/console/sources/{SOURCE}")
    walk.picture("source")


def taken_back(walk: Walk, settings: Settings) -> None:
    """A mistake in a document, and back to what was there before the run that took it in."""
    asker = new_key(settings)
    (walk.folder / "pump-007.md").write_text(f"# Pump P-7\n\n{WRONG}\n")
    sync = [sys.executable, "-m", "api.cli.main", "sources", "sync", SOURCE]
    subprocess.run(sync, env=settings.as_environment(), capture_output=True, check=True)
    walk.wait(lambda: walk.answer(asker) == WRONG, of="the wrong answer")
    with walk.timed("going back, until the answer is right again"):
        walk.driver.get(f"{walk.stack.api_url}/console/sources/{SOURCE}")
        take_back = walk.link("Take back what the last run changed")
        form = walk.open_form(take_back)
        walk.launch()
        walk.picture_of_report("rollback")
        walk.open_form(take_back)
        walk.fill(walk.filled(form, dry_run="false"))
        walk.launch()
        walk.wait(lambda: walk.answer(asker) == RIGHT, of="the right answer")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=200)
    parser.add_argument("--pictures", type=Path, default=None, metavar="DIR")
    chosen = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="archivist-walk-") as directory,
        installed(Path(directory), chosen.documents) as (walk, settings),
    ):
        walk.pictures = chosen.pictures
        walked(walk, settings)
        taken_back(walk, settings)
        print(json.dumps({"documents": chosen.documents, "seconds": walk.took}, indent=2))


@contextmanager
def installed(directory: Path, documents: int) -> Iterator[tuple[Walk, Settings]]:
    """A new installation with a folder of documents beside it, and a browser."""
    write_documents(directory / "documents", documents)
    settings = Settings(data_directory=directory / "archivist", port=free_port(), dagster_port=free_port())
    with Stack(settings) as stack, chromium(directory / "browser") as driver:
        driver.set_window_size(*PICTURE)
        stack.wait_until_up("api")
        stack.wait_until_up("dagster")
        stack.wait_until_ready()
        yield Walk(stack, driver, directory / "documents"), settings


if __name__ == "__main__":
    main()
