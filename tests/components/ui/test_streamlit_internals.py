"""What Streamlit does not promise is still there."""

import re
from pathlib import Path

import pytest
from streamlit.components.v2.component_manager import BidiComponentManager
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.runtime import Runtime
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFileRec
from streamlit.web.server.starlette import starlette_routes

from components.ui.http import Messages
from components.ui.streamlit_internals import STYLE, UPLOADS, declare, kind_of, main_page, state_of, uploaded_bytes


def test_what_a_tab_says_is_known_by_its_kind() -> None:
    for kind in Messages.REFUSED - {"nonsense"}:
        message = BackMsg()
        field = BackMsg.DESCRIPTOR.fields_by_name[kind]
        setattr(message, kind, True) if field.message_type is None else getattr(message, kind).SetInParent()
        assert kind_of(message.SerializeToString()) == kind
    assert kind_of(b"\xff\xff") == "nonsense"
    assert kind_of(b"") == ""


def test_files_are_taken_at_the_path_that_is_watched() -> None:
    assert f"/{starlette_routes.BASE_ROUTE_UPLOAD_FILE.strip('/')}/" == UPLOADS


def test_what_a_tab_holds_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    files = MemoryUploadedFileManager(UPLOADS)
    files.add_file("tab", UploadedFileRec("1", "a.csv", "text/csv", b"phone"))
    files.add_file("tab", UploadedFileRec("2", "b.csv", "text/csv", b"+1"))
    runtime = object.__new__(Runtime)
    runtime._uploaded_file_mgr = files
    with monkeypatch.context() as patch:
        patch.setattr(Runtime, "_instance", runtime)
        assert uploaded_bytes("tab") == 7
        assert uploaded_bytes("another") == 0


def test_there_is_no_state_without_a_tab() -> None:
    assert not state_of("nobody")


def test_the_page_that_a_browser_loads_and_what_is_styled_in_it_are_there() -> None:
    assert main_page().is_file()
    scripts = "".join(path.read_text() for path in (main_page().parent / "static" / "js").glob("*.js"))
    marks = re.findall(r"data-testid=(\w+)", STYLE)
    assert marks
    for mark in marks:
        assert mark in scripts, mark


def test_a_component_is_served_from_our_own_address(tmp_path: Path) -> None:
    (tmp_path / "shown.js").write_text("export default () => {};\n")
    manager = BidiComponentManager()
    full = "numberdesk.shown"
    declare(manager, full, tmp_path)
    found = manager.build_definition_with_validation(component_key=full, html=None, css=None, js="shown.js")
    assert found.js_url == "shown.js"
    assert found.js_content is None
    assert manager.get_component_path(full) == str(tmp_path.resolve())
