"""How Twilio words its answers: errors, dates and pages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlencode

from starlette.responses import JSONResponse, Response

PAGE_SIZE = 50
MAX_PAGE_SIZE = 1000
API_VERSION = "2010-04-01"


class ApiError(Exception):
    """A request that Twilio refuses, with its HTTP status and its own code."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code

    def reply(self, headers: Mapping[str, str] | None = None) -> Response:
        """Return the answer that says so."""
        body = {
            "code": self.code,
            "message": str(self),
            "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
            "status": self.status,
        }
        return JSONResponse(body, self.status, headers=dict(headers or {}))


def not_found(path: str) -> ApiError:
    """Return the error for something that is not there."""
    return ApiError(404, 20404, f"The requested resource {path} was not found")


@dataclass(frozen=True)
class PageRequest:
    """The page that a query asks for. `after` is where the page before it ended."""

    size: int
    number: int
    after: str | None

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "PageRequest":
        """Read the page out of *query*; a size that the documents do not allow is an error."""
        size, number = query.get("PageSize", str(PAGE_SIZE)), query.get("Page", "0")
        if not size.isdecimal() or not 1 <= int(size) <= MAX_PAGE_SIZE or not number.isdecimal():
            raise ApiError(400, 20001, f"Invalid page: PageSize must be 1 to {MAX_PAGE_SIZE} and Page not negative")
        token = query.get("PageToken")
        if token is not None and not token.startswith("PA"):
            raise ApiError(400, 20001, "Invalid PageToken")
        return cls(int(size), int(number), token.removeprefix("PA") if token is not None else None)


def v2010_page(
    path: str, query: Mapping[str, str], page: PageRequest, key: str, rows: Sequence[Any], next_after: str | None
) -> Response:
    """Return a list of the 2010 API: its rows under *key*, and links without a host."""

    def link(number: int, after: str | None) -> str:
        kept = {name: value for name, value in query.items() if name not in ("Page", "PageToken", "PageSize")}
        token = {} if after is None else {"PageToken": f"PA{after}"}
        return f"{path}?{urlencode(kept | {'PageSize': page.size, 'Page': number} | token)}"

    start = page.number * page.size
    return JSONResponse(
        {
            key: rows,
            "end": start + max(len(rows) - 1, 0),
            "first_page_uri": link(0, None),
            "next_page_uri": None if next_after is None else link(page.number + 1, next_after),
            "page": page.number,
            "page_size": page.size,
            "previous_page_uri": link(0, None) if page.number else None,
            "start": start,
            "uri": link(page.number, page.after),
        }
    )


def meta_page(url: str, query: Mapping[str, str], key: str, rows: Sequence[Any]) -> Response:
    """Return a list of the newer APIs, cut out of all *rows*; its links carry Twilio's own host."""
    page = PageRequest.of(query)
    start = int(page.after or 0)

    def link(number: int, after: int) -> str:
        kept = {name: value for name, value in query.items() if name not in ("Page", "PageToken", "PageSize")}
        return f"{url}?{urlencode(kept | {'PageSize': page.size, 'Page': number, 'PageToken': f'PA{after}'})}"

    end = start + page.size
    meta = {
        "page": page.number,
        "page_size": page.size,
        "first_page_url": link(0, 0),
        "previous_page_url": link(page.number - 1, max(start - page.size, 0)) if page.number else None,
        "url": link(page.number, start),
        "next_page_url": link(page.number + 1, end) if end < len(rows) else None,
        "key": key,
    }
    return JSONResponse({key: rows[start:end], "meta": meta})


def rfc2822(timestamp: str) -> str:
    """Return a stored time as the 2010 API writes it."""
    return format_datetime(datetime.fromisoformat(timestamp).astimezone(UTC))


def account_path(account_sid: str, rest: str) -> str:
    """Return the address of something in an account, as the 2010 API writes it."""
    return f"/{API_VERSION}/Accounts/{account_sid}{rest}.json"
