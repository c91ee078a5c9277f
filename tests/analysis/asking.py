"""Which functions of `services` reach data, and whether they ask for a permission before anything else."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
REQUIRE = "services.core.access.require"
DOORS = ("__call__", "__enter__", "__init__", "__iter__")
"""Methods that are public, though their names begin with an underscore."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Found:
    """A public function that reaches data, by its full name, and whether it asks first."""

    name: str
    asks: bool


class Services:
    """The modules of `services`, as they are or with one more that a test writes."""

    def __init__(self, **more: str) -> None:
        self.trees = _written() | {f"services.{name}": ast.parse(text) for name, text in more.items()}
        self.imported = {name: dict(_imports(tree)) for name, tree in self.trees.items()}
        self.functions = {
            f"{module}.{name}": (module, node)
            for module, tree in self.trees.items()
            for name, node in _definitions(tree.body)
        }

    def reaching(self, module: str = "services") -> list[Found]:
        """Return the public functions within *module* that take a session or an actor, or call `db` themselves."""
        within = {name: found for name, found in self.functions.items() if name.startswith(f"{module}.")}
        found = [
            Found(name, isinstance(node, Function) and self._asks_first(name))
            for name, (home, node) in within.items()
            if _is_public(name.removeprefix(home)) and self._reaches(home, node)
        ]
        return sorted(found, key=lambda one: one.name)

    def _reaches(self, module: str, node: ast.AST) -> bool:
        if isinstance(node, Function) and {"actor", "session"} & set(_parameters(node)):
            return True
        body = node.body if isinstance(node, Function) else [node]
        return any(
            self._is_of_database(self._resolve(module, part))
            for one in body
            for part in ast.walk(one)
            if isinstance(part, ast.Attribute | ast.Name)
        )

    def _is_of_database(self, name: str) -> bool:
        return name.startswith("db.") and name.count(".") > 1 and name.rpartition(".")[2].lstrip("_")[:1].islower()

    def _asks_first(self, name: str, above: frozenset[str] = frozenset()) -> bool:
        """Return whether the first call that a function makes is `require` of its actor, or of one that asks first."""
        if name == REQUIRE:
            return True
        module, node = self.functions.get(name, ("", None))
        if name in above or not isinstance(node, Function) or "actor" not in _parameters(node):
            return False
        call = _first_call(node)
        if call is None:
            return False
        if ast.unparse(call.func).partition(".")[0] in _bound_in(node):
            return False
        asked = self._resolve(module, call.func)
        _, other = self.functions.get(asked, ("", None))
        given = _argument(call, other, "actor") if isinstance(other, Function) else None
        return isinstance(given, ast.Name) and given.id == "actor" and self._asks_first(asked, above | {name})

    def _resolve(self, module: str, node: ast.AST) -> str:
        """Return the full name of what a name or attribute stands for in *module*, as far as imports tell."""
        written = ast.unparse(node)
        first, dot, rest = written.partition(".")
        if f"{module}.{first}" in self.functions:
            return f"{module}.{written}"
        return self.imported[module].get(first, first) + dot + rest


@cache
def _written() -> dict[str, ast.Module]:
    paths = sorted((ROOT / "services").rglob("*.py"))
    return {_dotted(path): ast.parse(path.read_text()) for path in paths}


def _dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def _imports(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from ((one.asname or one.name, f"{node.module}.{one.name}") for one in node.names)
        elif isinstance(node, ast.Import):
            yield from ((one.asname, one.name) for one in node.names if one.asname)


def _definitions(body: list[ast.stmt], prefix: str = "") -> Iterator[tuple[str, ast.AST]]:
    """Yield what can be called from outside: functions, methods, and names that are bound to something to call."""
    for node in body:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield prefix + node.name, node
            case ast.ClassDef():
                yield from _definitions(node.body, f"{prefix}{node.name}.")
            case ast.If() | ast.Try() | ast.With():
                yield from _definitions(
                    [one for one in ast.iter_child_nodes(node) if isinstance(one, ast.stmt)], prefix
                )
            case ast.Assign([ast.Name(name)], ast.Lambda() | ast.Attribute() as value):
                yield prefix + name, value
            case ast.Assign([ast.Name(name)], ast.Call(ast.Name("partial") | ast.Attribute(attr="partial"))):
                yield prefix + name, node.value


def _is_public(name: str) -> bool:
    return all(not part.startswith("_") or part in DOORS for part in name.strip(".").split("."))


def _parameters(node: Function) -> list[str]:
    return [one.arg for one in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]


def _bound_in(node: Function) -> set[str]:
    """Return the names that stand for something else in a function than in its module."""
    return {*_parameters(node), *(one.name for one in ast.walk(node) if isinstance(one, Function) and one is not node)}


def _argument(call: ast.Call, function: Function, name: str) -> ast.expr | None:
    """Return what *call* gives *function* as the parameter *name*."""
    positions = [one.arg for one in (*function.args.posonlyargs, *function.args.args)]
    named = next((one.value for one in call.keywords if one.arg == name), None)
    if named is not None or name not in positions:
        return named
    before = call.args[: positions.index(name) + 1]
    complete = len(before) > positions.index(name) and not any(isinstance(one, ast.Starred) for one in before)
    return before[-1] if complete else None


def _first_call(function: Function) -> ast.Call | None:
    """Return the call with which *function* surely begins. Functions defined in it do nothing yet; a condition may."""
    for statement in function.body:
        match statement:
            case ast.Expr(ast.Constant()) | ast.FunctionDef(decorator_list=[]):
                continue
            case ast.Expr(value) | ast.Return(ast.expr() as value) | ast.Assign(value=value):
                return _first_call_of(value)
            case ast.AnnAssign(value=ast.expr() as value):
                return _first_call_of(value)
            case ast.With(items=[first, *_]):
                return _first_call_of(first.context_expr)
        return None
    return None


def _first_call_of(value: ast.expr) -> ast.Call | None:
    """Return the first call that is made when *value* is worked out; None where that depends."""
    match value:
        case ast.Lambda():
            return None
        case ast.ListComp(generators=[first, *_]) | ast.SetComp(generators=[first, *_]):
            return _first_call_of(first.iter)
        case ast.DictComp(generators=[first, *_]) | ast.GeneratorExp(generators=[first, *_]):
            return _first_call_of(first.iter) if isinstance(value, ast.DictComp) else None
        case ast.BoolOp(values=[first, *_]) | ast.IfExp(test=first):
            return _first_call_of(first)
        case ast.Compare(left, _, [second, *_]):
            return _first_call_of(left) or _first_call_of(second)
    inner = (_first_call_of(one) for one in _parts(value))
    return next((call for call in inner if call), value if isinstance(value, ast.Call) else None)


def _parts(value: ast.expr) -> Iterator[ast.expr]:
    for child in ast.iter_child_nodes(value):
        if isinstance(child, ast.expr):
            yield child
        elif isinstance(child, ast.keyword):
            yield child.value
