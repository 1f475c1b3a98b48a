"""The README says what is true of the code: every setting with its default, every command of the Makefile it names."""

import re
import subprocess
from pathlib import Path

from pydantic_core import PydanticUndefined

from retrieval.settings import Settings

ROOT = Path(__file__).parents[2]


def settings_table() -> str:
    """The README's table of settings. Print it with `python -m tests.architecture.test_readme`."""
    rows = ["| setting | default | what it is |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = "" if field.default in ("", None, PydanticUndefined) else f"`{field.default}`"
        rows.append(f"| `ARCHIVIST_{name.upper()}` | {default} | {field.description} |")
    return "\n".join(rows)


def test_the_readme_lists_every_setting_with_its_default():
    assert settings_table() in (ROOT / "README.md").read_text()


def test_every_setting_says_what_it_is():
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_every_make_target_in_the_readme_exists():
    named = set(re.findall(r"`make ([a-z-]+)", (ROOT / "README.md").read_text()))
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout

    assert named <= set(re.findall(r"make ([a-z-]+)", listed))


def test_only_the_settings_read_the_environment():
    """Ruff bans it too; this names who may: the settings, and children that set a vendor's variables before importing it."""
    readers = {
        str(path.relative_to(ROOT))
        for package in ("api", "pipelines", "retrieval")
        for path in (ROOT / package).rglob("*.py")
        if "os.environ" in path.read_text() or "os.getenv" in path.read_text()
    }

    assert readers <= {
        "retrieval/settings.py",
        "retrieval/adapters/models/__init__.py",
        "retrieval/adapters/models/offline.py",
        "retrieval/evaluation/peers/haystack_hybrid.py",
        "pipelines/parsing/child.py",
        "pipelines/parsing/server.py",
    }


if __name__ == "__main__":
    print(settings_table())
