"""Names that a library does not promise stand in one module for each library. See docs/decisions/0028."""

import ast
from collections.abc import Iterator
from pathlib import Path

import dbos

from tests.analysis.asking import ROOT

INTERNALS = {
    "streamlit": "components/ui/streamlit_internals.py",
    "streamlit_authenticator": "components/ui/authenticator_internals.py",
    "extra_streamlit_components": "components/ui/authenticator_internals.py",
    "dbos": "services/jobs/dbos_internals.py",
}
DOCUMENTED = {"streamlit.components", *(f"dbos.{name}" for name in dbos.__all__)}
OPEN = {"_asdict", "_exit", "_field_defaults", "_fields", "_make", "_replace", "_value_", "_from"}
"""What begins with an underscore and is documented: of named tuples and enums, and the sender of a call of Twilio."""


def test_what_a_library_does_not_document_is_named_in_one_module() -> None:
    for path in _modules():
        for name in _imported(path):
            home = INTERNALS.get(name.split(".")[0])
            if "." in name and home and str(path.relative_to(ROOT)) != home:
                assert any(name == one or name.startswith(f"{one}.") for one in DOCUMENTED), f"{path}: {name}"


def test_private_names_are_used_by_their_own_module_only() -> None:
    for path in _modules():
        tree = ast.parse(path.read_text())
        own = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)} | OPEN
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.endswith("__"):
                is_its_own = node.attr in own or ast.unparse(node.value) in ("self", "cls")
                assert is_its_own or str(path.relative_to(ROOT)) in INTERNALS.values(), f"{path}: {ast.unparse(node)}"


def test_each_module_of_internals_has_a_test() -> None:
    for home in INTERNALS.values():
        path = ROOT / home
        assert path.is_file()
        assert (ROOT / "tests" / Path(home).parent / f"test_{path.name}").is_file(), home


def _modules() -> Iterator[Path]:
    yield ROOT / "app.py"
    for floor in ("pages", "components", "services", "db", "providers"):
        yield from sorted((ROOT / floor).rglob("*.py"))


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{one.name}" for one in node.names)
