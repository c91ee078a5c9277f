"""Who may import whom, and what each kind of file may hold. The contracts stand in `pyproject.toml`."""

import ast
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FLOORS = ("pages", "components", "services", "db", "providers")
MOST_DOORS = 12

ALSO_READS = {
    "audit": {"numbers", "orders", "people"},
    "campaigns": {"numbers"},
    "connections": {"health", "orders"},
    "core": {"audit"},
    "health": {"connections", "people"},
    "jobs": {"connections", "orders", "people"},
    "numbers": {"agents", "audit", "campaigns", "connections", "orders"},
    "orders": {"connections", "jobs", "numbers", "people"},
    "text": {"people"},
}
"""Whose queries a noun's services use beside their own, because it has to be in the same transaction."""

WRONG = {
    "services/core/errors.py": "import streamlit",
    "db/base/scope.py": "import services.core.errors",
    "providers/errors.py": "import db.base.scope",
    "components/ui/page.py": "import providers.twilio",
    "components/ui/dialogs.py": "import db.base.engine",
    "pages/numbers.py": "import db.numbers.queries",
    "services/text/days.py": "import twilio",
}
"""What somebody might write, and one contract or more forbids."""


def test_every_contract_is_kept() -> None:
    code, told = contracts(ROOT)
    assert code == 0, told


def test_every_contract_can_be_broken(tmp_path: Path) -> None:
    for floor in FLOORS:
        shutil.copytree(ROOT / floor, tmp_path / floor, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for path, line in WRONG.items():
        with (tmp_path / path).open("a") as file:
            file.write(f"{line}\n")
    code, told = contracts(tmp_path)
    assert code == 1
    assert "Contracts: 0 kept" in told, told


def test_components_import_nothing_from_db_but_types() -> None:
    for path in modules("components"):
        for name in imported(path):
            assert not name.startswith("db.") or is_type(name), f"{path.relative_to(ROOT)} imports {name}"


def test_services_read_what_is_of_another_noun_through_its_service() -> None:
    found: dict[str, set[str]] = {noun: set() for noun in ALSO_READS}
    for path in modules("services"):
        noun = path.relative_to(ROOT).with_suffix("").parts[1]
        read = {name.split(".")[1] for name in imported(path) if name.startswith("db.") and not is_type(name)}
        if noun != "setup":  # it fills, and looks after, every table
            found.setdefault(noun, set()).update(read - {noun, "base", "models", "engine"})
    assert {noun: read for noun, read in found.items() if read} == ALSO_READS


def test_only_the_registry_of_providers_imports_by_name() -> None:
    by_name = {"import_module", "__import__", "exec", "eval"}
    for floor in FLOORS:
        for path in modules(floor):
            called = [node.func for node in ast.walk(tree(path)) if isinstance(node, ast.Call)]
            names = {ast.unparse(one).rpartition(".")[2] for one in called}
            assert not names & by_name or path == ROOT / "providers" / "__init__.py", path


def test_pages_are_short_and_hold_no_try() -> None:
    for path in modules("pages"):
        assert not [node for node in ast.walk(tree(path)) if isinstance(node, ast.Try)], path
        if path.name != "frame.py":
            assert len(path.read_text().splitlines()) <= 60, path


def test_every_module_opens_with_one_line_that_says_what_it_is() -> None:
    for floor in (*FLOORS, "tests"):
        for path in modules(floor):
            if path.name == "__init__.py" and not path.read_text().strip():
                continue
            text = ast.get_docstring(tree(path))
            assert text, path
            assert text.splitlines()[0].endswith((".", "`")), path


@pytest.mark.parametrize("floor", ["components", "services", "db", "providers", "tests"])
def test_no_floor_has_more_than_a_dozen_doors(floor: str) -> None:
    assert len(doors(floor)) <= MOST_DOORS, doors(floor)


@pytest.mark.parametrize("floor", ["components", "services", "db", "providers"])
def test_tests_stand_in_rooms_of_the_same_names(floor: str) -> None:
    rooms = {path.name for path in (ROOT / "tests" / floor).iterdir() if path.is_dir() and list(path.glob("*.py"))}
    assert rooms <= doors(floor), rooms - doors(floor)


def contracts(folder: Path) -> tuple[int, str]:
    """Check the contracts on the tree in a folder, and return the exit code and what was printed."""
    run = "from importlinter.cli import lint_imports_command as run; run()"
    done = subprocess.run([sys.executable, "-c", run, "--no-cache"], cwd=folder, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def doors(floor: str) -> set[str]:
    """Return the modules and packages at the top of a floor."""
    found = {path.stem for path in (ROOT / floor).glob("*.py")} | {
        path.parent.name for path in modules(floor, "*/*.py")
    }
    return found - {"__init__", floor}


def modules(floor: str, pattern: str = "**/*.py") -> list[Path]:
    return sorted((ROOT / floor).glob(pattern))


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def imported(path: Path) -> Iterator[str]:
    """Yield the full names of what a module imports."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{one.name}" for one in node.names)


def is_type(name: str) -> bool:
    """Return whether a name is that of a class or a constant, as far as its letters tell."""
    return name.rpartition(".")[2][0].isupper()
