"""Nothing of our own is mocked: tests change settings, pass arguments, or build the world that reaches a limit."""

import ast

import pytest

from tests.house.test_boundaries import FLOORS, ROOT, modules, tree

EXCEPTIONS = {
    "tests/crash/dying.py: fulfilment.drive = driving": "the process counts when it may die; it drives all the same",
    "tests/services/orders/test_looks.py: another_process.setattr(fulfilment, '_missed', {})": (
        "what another process remembers, without starting one"
    ),
}
"""What is replaced all the same, and why."""


def test_nothing_of_our_own_is_replaced() -> None:
    found = {
        f"{path.relative_to(ROOT)}: {line}" for path in modules("tests") for line in replacements(tree(path), FLOORS)
    }
    assert found == set(EXCEPTIONS)


@pytest.mark.parametrize(
    "line",
    [
        "monkeypatch.setattr(sweep, 'IDLE', 1)",
        "patch.setattr(services.orders.sweep, 'IDLE', 1)",
        "monkeypatch.setattr('services.orders.sweep.IDLE', 1)",
        "monkeypatch.setitem(sweep.RUNNING, 1, 2)",
        "setattr(sweep, 'IDLE', 1)",
        "sweep.IDLE = 1",
        "services.orders.sweep.IDLE = 1",
    ],
)
def test_a_replacement_is_found(line: str) -> None:
    imports = "import services.orders.sweep\nfrom services.orders import sweep\n"
    assert replacements(ast.parse(f"{imports}def test(monkeypatch, patch):\n    {line}"), FLOORS) == [line]


@pytest.mark.parametrize("line", ["monkeypatch.setattr(subprocess, 'run', None)", "monkeypatch.setenv('A', 'b')"])
def test_what_is_not_ours_may_be_replaced(line: str) -> None:
    assert replacements(ast.parse(f"import subprocess\n{line}"), FLOORS) == []


def replacements(module: ast.Module, floors: tuple[str, ...]) -> list[str]:
    """Return the lines that replace a part of a module or a class imported from *floors*."""
    ours = set()
    for node in ast.walk(module):
        match node:
            case ast.Import(names):
                ours |= {one.asname or one.name.partition(".")[0] for one in names if one.name.startswith(floors)}
            case ast.ImportFrom(str() as source, names) if source.partition(".")[0] in floors:
                ours |= {one.asname or one.name for one in names}
    found = []
    for node in ast.walk(module):
        match node:
            case ast.Call(ast.Attribute(attr="setattr" | "setitem") | ast.Name("setattr"), [target, *_]):
                replaced = [target]
            case ast.Assign(targets):
                replaced = [one for one in targets if isinstance(one, ast.Attribute)]
            case _:
                continue
        if any(_root(one) in ours or _names(one, floors) for one in replaced):
            found.append(ast.unparse(node))
    return found


def _root(target: ast.expr) -> str:
    while isinstance(target, ast.Attribute):
        target = target.value
    return target.id if isinstance(target, ast.Name) else ""


def _names(target: ast.expr, floors: tuple[str, ...]) -> bool:
    """Return whether *target* is the name of one of our modules, as a text."""
    return isinstance(target, ast.Constant) and str(target.value).partition(".")[0] in floors
