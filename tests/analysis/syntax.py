"""What binds a name in Python's syntax: to what values, as far as can be seen."""

import ast

ADDS = {"append", "add", "extend", "insert", "update", "setdefault"}
"""What puts more into a collection."""


def parameter(function: ast.AST, name: str) -> ast.arg | None:
    arguments = function.args  # type: ignore[attr-defined]
    given = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    return next((one for one in given if one is not None and one.arg == name), None)


def bound(scope: ast.AST, name: str) -> list[ast.expr]:
    """Return what *name* is bound to in *scope*."""
    found: list[ast.expr] = []
    nodes = getattr(scope, "generators", None) or ast.walk(scope)
    for node in nodes:
        match node:
            case ast.Assign([*targets], value):
                pairs = [(_collection(target), value) for target in targets]
            case ast.Call(ast.Attribute(target, added), values, words) if added in ADDS:
                pairs = [
                    (_collection(target), value) for value in [*values[added == "insert" :], *(w.value for w in words)]
                ]
            case ast.AnnAssign(target, _, ast.expr() as value) | ast.AugAssign(target, _, value):
                pairs = [(target, value)]
            case ast.NamedExpr(target, value):
                pairs = [(target, value)]
            case ast.For(target, value) | ast.comprehension(target, value):
                pairs = [(target, part) for part in _parts(value)]
            case ast.withitem(value, ast.expr() as target):
                pairs = [(target, value)]
            case _:
                continue
        for target, value in pairs:
            found += _of_target(target, value, name)
    return found


def _collection(target: ast.expr) -> ast.expr:
    """Return what a part of is written to: `names` of `names[0]`."""
    while isinstance(target, ast.Subscript):
        target = target.value
    return target


def _parts(value: ast.expr) -> list[ast.expr]:
    """Return what a loop over *value* goes through, as far as that can be seen."""
    if isinstance(value, ast.Tuple | ast.List):
        return list(value.elts)
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name):
        if value.func.id == "zip":
            return [ast.Tuple([part for one in value.args for part in _parts(one)[:1]])]
        if value.func.id == "enumerate":
            return [ast.Tuple([ast.Constant(0), part]) for part in _parts(value.args[0])]
    return [value]


def _of_target(target: ast.expr, value: ast.expr, name: str) -> list[ast.expr]:
    if isinstance(target, ast.Name):
        return [value] if target.id == name else []
    if isinstance(target, ast.Starred):
        return _of_target(target.value, value, name)
    if isinstance(target, ast.Tuple | ast.List):
        if isinstance(value, ast.Tuple) and len(value.elts) == len(target.elts):
            return [one for t, v in zip(target.elts, value.elts, strict=True) for one in _of_target(t, v, name)]
        return [one for part in target.elts for one in _of_target(part, value, name)]
    return []
