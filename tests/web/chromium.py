"""The application served on loopback, and a headless Chromium that looks at it. Nothing is downloaded."""

import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

from tests.api.conftest import World

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--disable-default-apps",
    "--no-first-run",
    "--password-store=basic",
    "--force-prefers-reduced-motion",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)
WIDE, PHONE = (1100, 900), (360, 740)


def missing() -> str:
    """Why there is no browser; empty when there is one."""
    absent = [program for program in ("chromium", "chromedriver") if shutil.which(program) is None]
    return f"not installed: {', '.join(absent)} (make system-packages)" if absent else ""


@contextmanager
def chromium(profile: Path, *, dark: bool = False, scripts: bool = True) -> Iterator[Chrome]:
    """A browser whose console is kept, so that what a page's policy refused can be read."""
    options = ChromeOptions()
    options.binary_location = str(shutil.which("chromium"))
    for flag in (*FLAGS, f"--user-data-dir={profile}", *(("--blink-settings=preferredColorScheme=0",) if dark else ())):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    if not scripts:
        options.add_experimental_option("prefs", {"profile.managed_default_content_settings.javascript": 2})
    driver = Chrome(options=options, service=Service(executable_path=str(shutil.which("chromedriver"))))
    driver.set_window_size(*WIDE)
    try:
        yield driver
    finally:
        driver.quit()


@contextmanager
def served(world: World, *, port: int = 0) -> Iterator[str]:
    """The application's address; at a port that is free where none is named."""
    config = uvicorn.Config(world.app(), port=port, log_config=None, access_log=False, ws="none", timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)


def complaints(driver: Chrome) -> list[str]:
    """What the browser's console has said since it was last asked: errors, and whatever a policy refused."""
    return [entry["message"] for entry in driver.get_log("browser") if entry["level"] in {"SEVERE", "WARNING"}]  # type: ignore[no-untyped-call]
