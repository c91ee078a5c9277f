"""The ASGI entry: start-up, HTTP routes and headers around the Streamlit frame. Run it with `streamlit run app.py`."""

import gc
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio.to_thread
import streamlit as st
import structlog
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

from components.ui import http, notices
from db.base.engine import open_session
from services.core import settings
from services.core.errors import OUR_FAULT
from services.jobs import liveness, workflows
from services.setup import http_api, sandbox, startup


async def health(_request: Request) -> JSONResponse:
    """Health check: 200, or 503 while the database cannot be read or written."""
    is_well, told = await liveness.report()
    return JSONResponse(told, status_code=200 if is_well else 503)


def log_error(exc: Exception) -> bool:
    """Log an unexpected error and show a message."""
    structlog.get_logger().error("page.failed", exc_info=exc)
    notices.error(OUR_FAULT)
    return True


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[None]:
    """Start everything before the first request."""
    config = settings.current()
    try:
        startup.start(config)
    except startup.SchemaIsNewer as exc:
        sys.stderr.write(f"{exc}\n")
        sys.stderr.flush()
        os._exit(1)  # an exception would be told as a traceback, by the server and by Streamlit
    with sandbox.running_for_demo(config):
        await anyio.to_thread.run_sync(workflows.launch, config)  # it asks what is under way, which blocks
        gc.freeze()  # what start-up made stays; the collector need not look at it again
        yield
        await anyio.to_thread.run_sync(workflows.stop)


app = st.App(
    str(Path(__file__).parent / "pages" / "frame.py"),
    lifespan=lifespan,
    routes=[Route("/api/health", health), Mount("/api/v1", http_api.api)],
    middleware=[
        Middleware(http.SecurityHeaders),
        Middleware(http.Messages),
        Middleware(http.Uploads, open_session),
    ],
    on_script_error=log_error,
)
