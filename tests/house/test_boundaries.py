"""Who may import whom: a wrong import is a red test."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = {"app", "pages", "components", "services", "db", "providers"}
MAY = {
    "pages": {"components", "services", "db.base.engine", "db.base.scope"},
    "components": {"components", "services", "db", "providers.base"},
    "services": {"services", "db", "providers"},
    "db": {"db"},
    "providers": {"providers"},
}
NO_STREAMLIT = ("services", "db", "providers")
NO_SESSION_OPENING = {"db.base.engine"}


def imports(path: Path) -> set[str]:
    """Return the dotted names that a module imports, as deep as the statement says."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    return found


def modules(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def within(name: str, allowed: set[str]) -> bool:
    return any(name == one or name.startswith(f"{one}.") for one in allowed)


@pytest.mark.parametrize("package", MAY)
def test_each_package_imports_only_what_it_may(package: str) -> None:
    assert modules(package)
    for path in modules(package):
        ours = {name for name in imports(path) if name.split(".")[0] in OURS}
        wrong = {name for name in ours if not within(name, MAY[package]) and name not in {"db", "providers"}}
        assert not wrong, f"{path.relative_to(ROOT)} imports {wrong}"


@pytest.mark.parametrize("package", NO_STREAMLIT)
def test_rules_queries_and_vendors_know_nothing_of_streamlit(package: str) -> None:
    for path in modules(package):
        assert not {name for name in imports(path) if name.split(".")[0].startswith("streamlit")}, path


def test_components_never_open_a_session() -> None:
    for path in modules("components"):
        assert not imports(path) & NO_SESSION_OPENING, path


def test_pages_are_short_and_hold_no_sql_and_no_try() -> None:
    for path in modules("pages"):
        tree = ast.parse(path.read_text())
        assert not [node for node in ast.walk(tree) if isinstance(node, ast.Try)], path
        assert not {name for name in imports(path) if name.split(".")[0] in {"sqlalchemy", "sqlmodel"}}, path
        if path.name != "frame.py":
            assert len(path.read_text().splitlines()) <= 60, path


def test_every_module_opens_with_one_line_that_says_what_it_is() -> None:
    for package in (*MAY, "tests"):
        for path in modules(package):
            if path.name == "__init__.py" and not path.read_text().strip():
                continue
            text = ast.get_docstring(ast.parse(path.read_text()))
            assert text, path
            assert text.splitlines()[0].endswith((".", "`")), path
