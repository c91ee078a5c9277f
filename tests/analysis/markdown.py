"""Where the code hands a text to Streamlit's Markdown, and whether all of that text is written in the code."""

import ast
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

from tests.analysis.syntax import bound, parameter

ROOT = Path(__file__).parents[2]
PACKAGES = ("components", "pages", "services", "db", "providers")
FIRST = {
    *("audio_input", "badge", "button", "camera_input", "caption", "chat_input", "chat_message", "checkbox"),
    *("color_picker", "date_input", "datetime_input", "dialog", "divider", "download_button", "error", "exception"),
    *("expander", "feedback", "file_uploader", "form_submit_button", "header", "help", "html", "iframe", "info"),
    *("latex", "link_button", "markdown", "menu_button", "mermaid_chart", "metric", "multiselect", "number_input"),
    *("page_link", "pills"),
    *("popover", "radio", "segmented_control", "select_slider", "selectbox", "slider", "spinner", "status"),
    *("subheader", "success", "table", "tabs", "text_area", "text_input", "time_input", "title", "toast", "toggle"),
    *("warning", "write", "write_stream"),
}
"""Commands of Streamlit whose first argument is read as Markdown, or as HTML."""
ALL = {"link_button", "metric", "write"}
"""Commands of which each argument is looked at: an address, a value, a text."""
OTHERS = {
    *("altair_chart", "area_chart", "audio", "balloons", "bar_chart", "code", "columns"),
    *("connection", "container", "data_editor", "dataframe", "dg", "echarts_chart", "echo", "empty"),
    *("form", "fragment", "get_option", "graphviz_chart", "grid", "image", "json", "line_chart", "login"),
    *("logo", "logout", "map", "navigation", "pagination", "pdf", "plotly_chart", "progress", "pydeck_chart"),
    *("pyplot", "rerun", "scatter_chart", "set_option", "set_page_config", "skeleton", "snow", "space", "stop"),
    *("switch_page", "text", "vega_lite_chart", "video"),
}
"""Commands of Streamlit that read no Markdown but in the arguments of NAMED."""
CHOICES = {"pills", "radio", "segmented_control"}
"""Commands that read each of their options so; other choices show them as they are."""
NAMED = {"body", "caption", "captions", "help", "label", "title"}
"""Arguments that are Markdown in every command."""
HARMLESS = {
    *(
        "components.ui.markdown.plain",
        "components.ui.markdown.code",
        "components.ui.markdown.ours",
        "components.ui.page.plain",
    ),
    *("services.text.numbering.display", "urllib.parse.urlencode"),
}
"""What makes a text harmless, or says that it is; a number on record has no signs but `+`, digits, spaces and `-`."""
FIELDS = {"help", "limits", "sentence"}
"""Fields of what the code says about providers (`Field`, `Provider`) and thresholds (`Meaning`)."""
NUMBERS = {"int", "float", "bool", "date", "datetime", "timedelta", "ZoneInfo", "Decimal"}
COUNTS = {"len", "sum", "int", "round", "abs", "isoformat", "naturaldelta", "naturaltime"}
FILLED = {"format", "format_map", "get", "join", "replace"}
"""What gives back some of its arguments."""
KEPT = {"strip", "lower", "upper", "capitalize", "title", "removesuffix", "removeprefix", "replace", "get"}
LISTS = {"list", "sorted", "tuple", "set", "dict", "next", "iter", "zip", "reversed", "enumerate", "max", "min"}
LISTS |= {"values", "items", "keys", "DataFrame", "set_index"}

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


@dataclass(frozen=True)
class Found:
    """A text that reaches Markdown without `plain`."""

    path: Path
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line}: {self.text}"


class Module:
    """A module's tree, who stands around each node, and what its names are imported from."""

    def __init__(self, name: str, path: Path, text: str) -> None:
        self.name, self.path = name, path
        self.tree = ast.parse(text)
        self.around: dict[ast.AST, ast.AST] = {
            child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)
        }
        functions = [node for node in ast.walk(self.tree) if isinstance(node, ast.FunctionDef)]
        named = Counter(node.name for node in functions)
        self.functions = {node.name: node for node in functions if named[node.name] == 1}
        self.imported: dict[str, str] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                self.imported |= {alias.asname or alias.name: alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                self.imported |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}

    def scopes(self, node: ast.AST) -> Iterator[ast.AST]:
        """Yield what may bind the names that *node* reads: functions and comprehensions around it, then the module."""
        while node in self.around:
            node = self.around[node]
            if isinstance(node, Function | ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp | ast.Module):
                yield node

    def arguments(self) -> Iterator[ast.expr]:
        """Yield what is given to Markdown."""
        for node in ast.walk(self.tree):
            if not isinstance(node, ast.Call):
                continue
            function = node.func.body if isinstance(node.func, ast.IfExp) else node.func
            command = function.attr if isinstance(function, ast.Attribute) and not self._is_ours(function) else ""
            words = {word.arg: word.value for word in node.keywords}
            if command in FIRST | OTHERS or command == "update" or "help" in words:
                yield from (value for word, value in words.items() if word in NAMED)
            if command in FIRST | OTHERS:
                yield from (word.value for word in node.keywords if word.arg is None)
            if command in ALL:
                yield from [*node.args, *(value for word, value in words.items() if word in ("value", "delta", "url"))]
            elif command in FIRST and node.args and command != "page_link":
                yield node.args[0]
            if command == "progress":
                yield from [*node.args[1:], *(value for word, value in words.items() if word == "text")]
            if command in CHOICES:
                options = node.args[1] if len(node.args) > 1 else words["options"]
                yield words.get("format_func", options)

    def detours(self) -> Iterator[ast.expr]:
        """Yield each command that is not called where it stands, so that nobody can see what it is given."""
        for node in ast.walk(self.tree):
            match node:
                case ast.ImportFrom(str(module), names) if module.split(".")[0] == "streamlit":
                    taken = FIRST & {alias.name for alias in names}
                    yield from (ast.Name(name, lineno=node.lineno) for name in sorted(taken))
                case ast.Call(ast.Name("getattr"), [ast.Name("st"), *_]):
                    yield node
                case ast.Attribute(ast.Name("st"), name) if name in FIRST and not self._is_called(node):
                    yield node

    def _is_called(self, node: ast.expr) -> bool:
        around = self.around[node]
        if isinstance(around, ast.IfExp):
            node, around = around, self.around[around]
        return isinstance(around, ast.Call) and around.func is node

    def full_name(self, function: ast.expr) -> str:
        """Return where a function that is called comes from, by its dotted name."""
        match function:
            case ast.Name(name):
                return self.imported.get(name, f"{self.name}.{name}" if name in self.functions else name)
            case ast.Attribute(ast.Name(owner), name) if owner in self.imported:
                return f"{self.imported[owner]}.{name}"
        return ""

    def _is_ours(self, function: ast.Attribute) -> bool:
        return isinstance(function.value, ast.Name) and self.imported.get(function.value.id, "").startswith(PACKAGES)


class Code:
    """All of our code, and what is known of the texts in it."""

    def __init__(self) -> None:
        self.modules: dict[str, Module] = {}
        self._known: dict[tuple[object, ...], bool] = {}
        self._inside: list[tuple[ast.FunctionDef, ast.Call, Module]] = []
        for path in (path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))):
            self.add(".".join(path.relative_to(ROOT).with_suffix("").parts), path, path.read_text())

    def add(self, name: str, path: Path, text: str) -> None:
        """Add a module that is called *name* and says *text*."""
        self.modules[name] = Module(name, path, text)

    def found(self, *within: str) -> list[Found]:
        """Return each text in the packages or modules *within* that reaches Markdown and may not be our own."""
        return [
            Found(module.path, argument.lineno, ast.unparse(argument))
            for module in self.modules.values()
            if module.name.startswith(within)
            for argument in [*module.detours(), *module.arguments()]
            if not self.ours(argument, module)
        ]

    def ours(self, node: ast.expr, module: Module) -> bool:
        """Return whether a text, or each text of a collection, is written in the code or went through `plain`."""
        match node:
            case ast.Constant():
                return True
            case ast.JoinedStr(values):
                return all(self.ours(value, module) for value in values)
            case ast.FormattedValue(value, _, spec):
                return bool(spec and _is_of_numbers(spec)) or self.ours(value, module)
            case ast.IfExp(_, body, orelse):
                return self.ours(body, module) and self.ours(orelse, module)
            case ast.BoolOp(_, values) | ast.List(values) | ast.Tuple(values) | ast.Set(values):
                return all(self.ours(value, module) for value in values)
            case ast.BinOp(left, ast.Add(), right) if not _is_number(left) and not _is_number(right):
                return self.ours(left, module) and self.ours(right, module)
            case ast.BinOp(left, ast.Mod() | ast.Mult(), right):
                return self.ours(left, module) and self.ours(right, module)
            case ast.BinOp():
                return True  # arithmetic
            case ast.Dict(keys, values):
                return all(self.ours(part, module) for part in [*keys, *values] if part is not None)
            case ast.ListComp(elt) | ast.SetComp(elt) | ast.GeneratorExp(elt) | ast.Lambda(_, elt):
                return self.ours(elt, module)
            case ast.DictComp(key, value):
                return self.ours(key, module) and self.ours(value, module)
            case ast.Starred(value) | ast.Subscript(value) | ast.NamedExpr(_, value):
                return self.ours(value, module)
            case ast.Attribute(value, "__getitem__" | "get"):
                return self.ours(value, module)
            case ast.Attribute(_, attr):
                return attr.strip("_").isupper() or attr in FIELDS
            case ast.Call():
                return self._call(node, module)
            case ast.Name(name):
                return self._name(name, node, module)
        return False

    def _call(self, node: ast.Call, module: Module) -> bool:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if module.full_name(node.func) in HARMLESS or name in COUNTS or _is_of_a_time(node):
            return True
        if name in LISTS or (name == "join" and isinstance(node.func, ast.Attribute)):
            named = [word.value for word in node.keywords]
            receiver = [node.func.value] if isinstance(node.func, ast.Attribute) and name != "DataFrame" else []
            return all(self.ours(part, module) for part in [*receiver, *node.args, *named])
        if (function := self._function(node, module)) is not None:
            return self._returned(*function, node, module)
        if isinstance(node.func, ast.Attribute) and _is_constant(node.func.value):
            given = [*node.args[name == "get" :], *(word.value for word in node.keywords)]
            return name not in FILLED or all(self.ours(part, module) for part in given)
        if name in KEPT and isinstance(node.func, ast.Attribute):
            return all(self.ours(part, module) for part in [node.func.value, *node.args[1:]])
        return False

    def _function(self, node: ast.Call, module: Module) -> tuple[ast.FunctionDef, Module] | None:
        """Return the function of ours that is called, and where it stands."""
        match node.func:
            case ast.Attribute(ast.Name("self"), name) if name in module.functions:
                return module.functions[name], module
        full = module.full_name(node.func)
        home = self.modules.get(full.rpartition(".")[0])
        function = home.functions.get(full.rpartition(".")[2]) if home else None
        return (function, home) if function and home else None

    def _returned(self, function: ast.FunctionDef, home: Module, call: ast.Call, module: Module) -> bool:
        """Return whether what *function* returns to *call* is ours."""

        def look() -> bool:
            returned = [node.value for node in ast.walk(function) if isinstance(node, ast.Return) and node.value]
            self._inside.append((function, call, module))
            try:
                return bool(returned) and all(self.ours(value, home) for value in returned)
            finally:
                self._inside.pop()

        if _is_of_a_number(function.returns):
            return True
        return self._once((*(inside[1] for inside in self._inside), call), look)

    def _once(self, key: tuple[object, ...], look: Callable[[], bool]) -> bool:
        if key not in self._known:
            self._known[key] = True  # what leads back to itself adds nothing
            self._known[key] = look()
        return self._known[key]

    def _name(self, name: str, node: ast.AST, module: Module) -> bool:
        key = tuple(inside[1] for inside in self._inside)
        for scope in module.scopes(node):
            if isinstance(scope, Function) and (given := parameter(scope, name)):
                if _is_of_a_number(given.annotation):
                    return True
                return isinstance(scope, ast.FunctionDef) and self._once(
                    (*key, scope, name), partial(self._given, scope, name, module)
                )
            if values := bound(scope, name):
                return self._once((*key, scope, name), partial(self._all, values, module))
        return name.strip("_").isupper() and name in module.imported

    def _all(self, values: list[ast.expr], module: Module) -> bool:
        return all(self.ours(value, module) for value in values)

    def _given(self, function: ast.FunctionDef, name: str, module: Module) -> bool:
        """Return whether the call that is looked at, or else every call, gives *function* a text of ours as *name*."""
        if self._inside and self._inside[-1][0] is function:
            inside = self._inside.pop()
            try:
                return self._gives(inside[1], inside[2], function, name, module)
            finally:
                self._inside.append(inside)
        calls = self._calls.get(function, [])
        return bool(calls) and all(self._gives(call, home, function, name, module) for call, home in calls)

    def _gives(self, call: ast.Call, home: Module, function: ast.FunctionDef, name: str, module: Module) -> bool:
        if function.args.kwarg and function.args.kwarg.arg == name:
            return all(self.ours(word.value, home) for word in call.keywords if word.arg in NAMED or not word.arg)
        names = [given.arg for given in (*function.args.posonlyargs, *function.args.args)]
        place = names.index(name) - (names[0] == "self") if name in names else len(call.args)
        given = next((word.value for word in call.keywords if word.arg == name), None)
        if given is None and place < len(call.args):
            given = call.args[place]
        if given is not None:
            return self.ours(given, home)
        defaults = dict(zip(reversed(names), reversed(function.args.defaults), strict=False))
        defaults |= {
            word.arg: value
            for word, value in zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True)
            if value is not None
        }
        return name in defaults and self.ours(defaults[name], module)

    @cached_property
    def _calls(self) -> dict[ast.AST, list[tuple[ast.Call, Module]]]:
        calls: dict[ast.AST, list[tuple[ast.Call, Module]]] = {}
        for module in self.modules.values():
            for node in ast.walk(module.tree):
                if isinstance(node, ast.Call) and (found := self._function(node, module)):
                    calls.setdefault(found[0], []).append((node, module))
        return calls


def _is_constant(node: ast.expr) -> bool:
    """Return whether *node* is, or is of, what stands in the code under a name in capitals."""
    if isinstance(node, ast.Subscript):
        return _is_constant(node.value)
    name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
    return bool(name.strip("_")) and name.isupper()


def _is_of_a_number(annotation: ast.expr | None) -> bool:
    """Return whether *annotation* says that something is a number or a time, or nothing."""
    names = set(ast.unparse(annotation).split(" | ")) - {"None"} if annotation else set()
    return bool(names) and names <= NUMBERS


def _is_of_a_time(node: ast.Call) -> bool:
    """Return whether a time is written, in a way that stands in the code."""
    is_so = isinstance(node.func, ast.Attribute) and node.func.attr == "strftime"
    return is_so and isinstance(node.args[0], ast.Constant)


def _is_number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int)


def _is_of_numbers(spec: ast.expr) -> bool:
    """Return whether a format is of numbers or of times, so that no text can be in it."""
    text = "".join(str(part.value) for part in getattr(spec, "values", []) if isinstance(part, ast.Constant))
    return bool(re.fullmatch(r"[+ ]?\d*(?:[,_](?:\.\d+)?[dfg%]?|(?:\.\d+)?[dfg%])|.*%[A-Za-z].*", text))
