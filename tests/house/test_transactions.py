"""Transactions are ended in one place. See docs/decisions/0025."""

import ast

from tests.analysis.asking import ROOT

ENDED_IN = {"services/core/transactions.py", "db/base/engine.py", "db/base/probe.py"}
"""By `reading` and `writing`, by the engine under them, and on the probe's own connection."""


def test_nothing_else_rolls_back() -> None:
    found = set()
    for floor in ("pages", "components", "services", "db"):
        for path in (ROOT / floor).rglob("*.py"):
            called = (node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))
            if any(isinstance(one, ast.Attribute) and one.attr == "rollback" for one in called):
                found.add(str(path.relative_to(ROOT)))
    assert found == ENDED_IN
