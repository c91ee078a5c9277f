"""Notices and caches each have one way, in one module of `components/ui`."""

import ast
from collections.abc import Iterator

from tests.analysis.asking import ROOT

NOTICES = {"error", "warning", "info", "success", "toast"}
LOGS = {"_log", "structlog.get_logger()"}
CACHES = {"cache_data", "cache_resource"}


def test_notices_are_drawn_by_one_module() -> None:
    drawn = {path for path, owner, name in _attributes() if name in NOTICES and owner not in {"notices", *LOGS}}
    assert drawn == {"components/ui/notices.py"}


def test_caches_are_kept_and_cleared_by_one_module() -> None:
    assert {path for path, _, name in _attributes() if name in CACHES} == {"components/ui/cache.py"}


def _attributes() -> Iterator[tuple[str, str, str]]:
    """Yield each attribute that is read in what draws: the module, of what, and its name."""
    for path in [ROOT / "app.py", *(ROOT / "pages").glob("*.py"), *(ROOT / "components").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute):
                yield str(path.relative_to(ROOT)), ast.unparse(node.value), node.attr
