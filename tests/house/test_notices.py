"""What the reader is told has one way: `components/ui/notices.py`."""

import ast

from tests.analysis.asking import ROOT

KINDS = {"error", "warning", "info", "success", "toast"}
LOGS = {"_log", "structlog.get_logger()"}


def test_notices_are_drawn_by_one_module() -> None:
    found = set()
    for path in [ROOT / "app.py", *(ROOT / "pages").glob("*.py"), *(ROOT / "components").rglob("*.py")]:
        called = (node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))
        if any(
            isinstance(one, ast.Attribute) and one.attr in KINDS and ast.unparse(one.value) not in {"notices", *LOGS}
            for one in called
        ):
            found.add(str(path.relative_to(ROOT)))
    assert found == {"components/ui/notices.py"}
