"""Nothing that somebody typed reaches Markdown as it is: each command that reads Markdown gets words of the code."""

from pathlib import Path

import pytest

from components.markdown import code, plain
from tests.markdown import Code

TRIED = "components.tried"


@pytest.fixture(scope="module")
def written() -> Code:
    """All of our code."""
    return Code()


def test_whatever_reaches_markdown_is_ours_or_plain(written: Code) -> None:
    found = written.found("components", "pages")
    assert not found, "Give these to components.markdown.plain:\n" + "\n".join(map(str, found))


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
    ],
)
def test_a_text_that_is_ours_is_not_found(line: str, written: Code) -> None:
    written.add(TRIED, Path(__file__), f"def shown(text): return f'[{{text}}]'\n{line}")
    assert not written.found(TRIED)
    del written.modules[TRIED]


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
