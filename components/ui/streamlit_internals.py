"""All undocumented parts of Streamlit (1.67) that we use."""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

from google.protobuf.message import DecodeError
from streamlit.delta_generator import DeltaGenerator
from streamlit.elements.lib.column_types import ColumnConfig
from streamlit.elements.lib.mutable_tab_container import TabContainer
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.runtime import Runtime
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFile

__all__ = ["ColumnConfig", "DeltaGenerator", "TabContainer", "UploadedFile"]  # the types that type hints need

UPLOADS = "/_stcore/upload_file/"
"""The path that takes the files of a tab: its session id follows."""

STYLE = """<style>
body > [data-testid=stToastContainer] { top: auto; bottom: 1rem; }
[data-testid=stLogoLink], [data-testid=stSidebarLogo] { pointer-events: none; }
.st-key-menu > :has([data-testid=stCaptionContainer]):not(:first-child) { margin-top: 1rem; }
</style>"""
"""What no theme can say: toasts come up below, off the button; the logo is no link; the menu has gaps."""


def main_page() -> Path:
    """Return the page that a browser loads."""
    found = find_spec("streamlit")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "static" / "index.html"


def kind_of(message: bytes) -> str:
    """Return what a tab says on its websocket, as Streamlit calls it; `nonsense` for what is no message."""
    try:
        return BackMsg.FromString(message).WhichOneof("type") or ""
    except DecodeError:
        return "nonsense"


def state_of(session_id: str) -> Mapping[str, Any]:
    """Return the session state of a tab, from outside of its runs; empty when there is no such tab."""
    tab = Runtime.instance().get_app_session(session_id) if Runtime.exists() else None
    return cast(Mapping[str, Any], tab.session_state) if tab is not None else {}


def uploaded_bytes(session_id: str) -> int:
    """Return the bytes of the files that a tab has uploaded and still holds."""
    files = cast(MemoryUploadedFileManager, Runtime.instance().uploaded_file_mgr).file_storage
    return sum(len(file.data) for file in list(files.get(session_id, {}).values()))
