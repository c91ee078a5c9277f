"""All undocumented parts of Streamlit (1.67) that we use."""

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any, cast

import streamlit as st
from google.protobuf.message import DecodeError
from streamlit.components.v2.component_manager import BidiComponentManager
from streamlit.components.v2.get_bidi_component_manager import get_bidi_component_manager
from streamlit.components.v2.manifest_scanner import ComponentConfig, ComponentManifest
from streamlit.components.v2.types import ComponentRenderer
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
[data-testid=stMainBlockContainer] { padding: 4.25rem clamp(1rem, 2.2vw, 2rem) 4rem; }
[data-testid=stMain] [data-testid=stPageLink-NavLink]:not(:hover) { background: none; }
.st-key-menu > :has([data-testid=stCaptionContainer]):not(:first-child) { margin-top: 1rem; }
</style>"""
"""What no theme can say: toasts come up below; the logo is no link; menu and page have gaps of their own; a link within
a page never looks pressed."""


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


_DECLARING = Lock()


def component(name: str, folder: Path) -> ComponentRenderer:
    """Return what mounts the component whose script, `{name}.js`, stands in *folder*; call it in a run of a page.

    The script is served from our own address, as those of installed packages are, and so needs no `blob:` in the
    policy and is not sent anew in every run.
    """
    full = _full_name(name, folder)
    manager = get_bidi_component_manager()
    with _DECLARING:
        if manager.get_component_asset_root(full) is None:
            declare(manager, full, folder)
    return _mount(full, f"{name}.js")


@cache
def _mount(full: str, script: str) -> ComponentRenderer:
    return st.components.v2.component(full, js=script)


@cache
def _full_name(name: str, folder: Path) -> str:
    """Return a name that changes with what *folder* holds, so that no browser runs a former script."""
    held_now = b"".join(path.read_bytes() for path in sorted(folder.iterdir()))
    return f"numberdesk.{name}_{hashlib.blake2b(held_now, digest_size=6).hexdigest()}"


def declare(manager: BidiComponentManager, full: str, folder: Path) -> None:
    """Have *folder* served as that of the component with this full name, as the manifest of a package would."""
    package, _, name = full.partition(".")
    manifest = ComponentManifest(package, "1", [ComponentConfig(name, folder.name)])
    manager.register_from_manifest(manifest, folder.parent)
