"""The docs hold what the code has: every setting, permission and page."""

import re
from pathlib import Path

import pytest

from db.models import Role
from providers.base import Capability
from services.core.access import ALLOWED, Permission
from services.core.settings import Settings
from services.health.thresholds import MEANINGS, Thresholds
from tests.analysis import abilities

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
MADE = {".venv", "data"}
"""What the docs name, and is not there until somebody installs and starts the app."""

GUIDE = "\n".join(path.read_text() for path in sorted((ROOT / "docs" / "guide").glob("*.md")))


def test_every_setting_is_in_the_readme() -> None:
    for name in Settings.model_fields:
        setting = "DATABASE_URL" if name == "database_url" else f"NUMBERDESK_{name.upper()}"
        assert f"| `{setting}` |" in README, setting


@pytest.mark.parametrize("permission", list(Permission))
def test_every_permission_is_in_the_guide_with_its_roles(permission: Permission) -> None:
    row = next((line for line in GUIDE.splitlines() if line.startswith(f"| `{permission.value}` |")), None)
    assert row, permission
    ticks = [cell.strip() == "✓" for cell in row.split("|")[3:6]]
    assert ticks == [permission in ALLOWED[role] for role in (Role.VIEWER, Role.OPERATOR, Role.ADMIN)]


def test_the_guide_says_what_each_provider_can_do() -> None:
    assert set(abilities.ABILITIES) == set(Capability)
    assert abilities.table() in GUIDE


def test_every_page_is_in_the_guide() -> None:
    frame = (ROOT / "pages" / "frame.py").read_text()
    paths = re.findall(r'url_path="([^"]+)"', frame)
    assert paths
    for path in paths:
        assert f"`/{path}" in GUIDE, path


def test_every_picture_that_the_docs_show_exists() -> None:
    for document in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md")):
        for target in re.findall(r"!?\[[^\]]*\]\(([^)#:]+)\)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


@pytest.mark.parametrize("name", list(MEANINGS))
def test_every_threshold_is_in_the_guide_with_its_default_and_range(name: str) -> None:
    meaning = MEANINGS[name]
    row = next((line for line in GUIDE.splitlines() if f"| `{name}` |" in line), None)
    assert row, name
    cells = [cell.strip() for cell in row.split("|")]
    assert cells[1] == f"`{meaning.label}`"
    assert cells[3] == meaning.text(getattr(Thresholds(), name))
    assert cells[4] == f"{meaning.number(meaning.least)}–{meaning.number(meaning.most)}"


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "docs/architecture.md"])
def test_every_path_that_is_named_exists(name: str) -> None:
    text = (ROOT / name).read_text()
    named = set(re.findall(r"`([a-zA-Z_.][\w.-]*/[\w./<>-]*|[\w-]+\.(?:py|toml|yaml))`", text))
    named |= set(re.findall(r"participant \w+ as (\S+/\S+)", text))
    assert named
    for path in named:
        if path.split("/")[0] not in MADE:
            assert list(ROOT.glob(re.sub(r"<\w+>", "*", path))), path


def test_the_architecture_names_every_room() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    for floor in ("components", "services", "db"):
        for room in [*(ROOT / floor).glob("*.py"), *(path.parent for path in (ROOT / floor).glob("*/__init__.py"))]:
            assert room.stem == "__init__" or f"`{room.stem}`" in text, room
