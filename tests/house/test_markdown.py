"""Nothing that somebody typed reaches Markdown as it is: each command that reads Markdown gets words of the code."""

import ast
import inspect
from pathlib import Path

import pytest
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from components.ui.markdown import code, plain
from tests.analysis.markdown import FIELDS, FIRST, OTHERS, Code

TRIED = "components.tried"
OURS = """
from components.ui.markdown import plain
from services.text.labels import ROLE
_BADGES = {"active": "Active"}
def shown(text): return f"[{text}]"
"""


@pytest.fixture(scope="module")
def written() -> Code:
    """All of our code."""
    return Code()


def test_whatever_reaches_markdown_is_ours_or_plain(written: Code) -> None:
    found = written.found("components", "pages")
    assert not found, "Give these to components.ui.markdown.plain:\n" + "\n".join(map(str, found))


@pytest.mark.parametrize(
    "line",
    [
        "st.markdown(row.name)",
        "st.markdown(f'**{row.name}**')",
        "st.button('Search: ' + text)",
        "st.text_input('Name', help=row.note)",
        "column.TextColumn('Name', help=row.note)",
        "st.radio('Which', names)",
        "st.radio('Which', ['a'], format_func=names.get)",
        "st.page_link('numbers.py', label=row.name)",
        "place.caption(' · '.join(part for part in row.parts))",
        "for name in row.names: st.caption(name)",
        "for title, name in (('a', row.name),): st.caption(name)",
        "st.error(str(exc))",
        "st.metric('Cost', row.cost)",
        "(st.error if row.bad else st.success)(row.note)",
        "bar.progress(0.5, text=row.note)",
        "st.caption(told(row))",
        "st.caption(shown(row.name))",
        "say = st.markdown; say(row.name)",
        "from streamlit import markdown; markdown(row.name)",
        "getattr(st, 'markdown')(row.name)",
        "partial(st.markdown, row.name)()",
        "list(map(st.caption, row.names))",
        "{True: st.error}[True](row.note)",
        "st.text_input('a', **{'help': row.note})",
        "options = {}; options['help'] = row.note; st.text_input('a', **options)",
        "names = []; names.append(row.name); st.markdown(' '.join(names))",
        "words = {}; words.setdefault('x', row.name); st.markdown(words['x'])",
        "NAME = row.name; st.markdown(NAME)",
        "st.markdown('%s' % row.name)",
        "st.markdown(row.name * 1)",
        "st.markdown(TEMPLATE.format(row.name))",
        "st.markdown(WORDS.get(row.kind, row.name))",
        "st.markdown(f'{row.name:d<20}')",
        "st.markdown(display(row))",
        "st.markdown(row.plain())",
        "st.write('a', row.name)",
        "st.html(row.name)",
        "st.link_button('a', row.url)",
        "st.exception(row.error)",
        "st.select_slider(row.name, [1])",
        "st.image('x', caption=row.name)",
        "bar.progress(0.5, row.note)",
    ],
)
def test_a_text_that_is_not_ours_is_found(line: str, written: Code) -> None:
    written.add(TRIED, Path(__file__), f"def told(row): return row.note\ndef shown(text): return f'[{{text}}]'\n{line}")
    assert written.found(TRIED)
    del written.modules[TRIED]


@pytest.mark.parametrize(
    "line",
    [
        "st.markdown('**Bold**')",
        "st.markdown(f'**{plain(row.name)}** since {row.day:%d %b}, {row.count:,}')",
        "st.badge(_BADGES[row.status])",
        "for name, value in (('a', row.a), ('b', row.b)): st.caption(f'{name}: {plain(value)}')",
        "st.caption(shown(plain(row.name)))",
        "st.caption(shown('ours'))",
        "st.dataframe(row.frame)",
        "st.badge(ROLE[row.role])",
        "names = ['a']; names.append(plain(row.name)); st.caption(' '.join(names))",
    ],
)
def test_a_text_that_is_ours_is_not_found(line: str, written: Code) -> None:
    written.add(TRIED, Path(__file__), f"{OURS}\n{line}")
    assert not written.found(TRIED)
    del written.modules[TRIED]


def test_every_command_of_streamlit_is_looked_at_or_reads_no_markdown() -> None:
    known = {name for name in dir(st) if inspect.isroutine(getattr(st, name))} | set(dir(DeltaGenerator))
    assert {name for name in known if not name.startswith("_")} == FIRST | OTHERS


def test_no_field_of_a_row_is_called_as_those_that_only_the_code_fills(written: Code) -> None:
    rows = [module.tree for name, module in written.modules.items() if name.startswith("db.")]
    fields = {ast.unparse(node.target) for tree in rows for node in ast.walk(tree) if isinstance(node, ast.AnnAssign)}
    assert "name" in fields
    assert fields & FIELDS <= {"limits"}  # those under which health was added up, which nobody is shown


@pytest.mark.parametrize(
    "text", ["+1 415 555 2671", "Your role does not allow this. Ask an admin of the tenant.", "Line 3: 2 of 5 (40 %)"]
)
def test_usual_words_stay_as_they_are_also_before_they_are_drawn(text: str) -> None:
    assert plain(text) == text


def test_a_text_of_several_lines_becomes_one() -> None:
    assert plain(" Sales\r\n\n# EU ") == "Sales # EU"


def test_code_holds_the_sign_that_ends_code() -> None:
    assert code("https://a/b") == "`https://a/b`"
    assert code("a`b``c") == "``` a`b``c ```"
