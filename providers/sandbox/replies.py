"""The form of Twilio's answers: errors, dates and pages."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, TypeVar
from urllib.parse import urlencode

from starlette.responses import JSONResponse, Response

PAGE_SIZE = 50
MAX_PAGE_SIZE = 1000
API_VERSION = "2010-04-01"

Row = TypeVar("Row")


class ApiError(Exception):
    """A request that Twilio refuses, with its HTTP status and its own code."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code

    def reply(self, headers: Mapping[str, str] | None = None) -> Response:
        """Return the error as an answer."""
        body = {
            "code": self.code,
            "message": str(self),
            "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
            "status": self.status,
        }
        return JSONResponse(body, self.status, headers=dict(headers or {}))


def not_found(path: str) -> ApiError:
    """Return the error for something that does not exist."""
    return ApiError(404, 20404, f"The requested resource {path} was not found")


@dataclass(frozen=True)
class PageRequest:
    """The page that a query asks for. `after` is where the page before it ended."""

    query: Mapping[str, str]
    size: int
    number: int
    after: str | None

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "PageRequest":
        """Read the page out of *query*; a size outside the documented range is an error."""
        size, number = query.get("PageSize", str(PAGE_SIZE)), query.get("Page", "0")
        if not size.isdecimal() or not 1 <= int(size) <= MAX_PAGE_SIZE or not number.isdecimal():
            raise ApiError(400, 20001, f"Invalid page: PageSize must be 1 to {MAX_PAGE_SIZE} and Page not negative")
        token = query.get("PageToken")
        if token is not None and not token.startswith("PA"):
            raise ApiError(400, 20001, "Invalid PageToken")
        return cls(query, int(size), int(number), token.removeprefix("PA") if token is not None else None)

    def link(self, url: str, number: int, after: str | None) -> str:
        """Return the address of another page of the same query."""
        kept = {name: value for name, value in self.query.items() if name not in ("Page", "PageToken", "PageSize")}
        token = {} if after is None else {"PageToken": f"PA{after}"}
        return f"{url}?{urlencode(kept | {'PageSize': self.size, 'Page': number} | token)}"


def v2010_page(
    path: str,
    page: PageRequest,
    key: str,
    rows: Sequence[Row],
    body: Callable[[Row], Any],
    end: Callable[[Row], object],
) -> Response:
    """Return a list of the 2010 API, whose links have no host.

    *rows* has one row more than the page where another page follows; *end* returns where a page ends after a row.
    """
    shown = rows[: page.size]
    start = page.number * page.size
    return JSONResponse(
        {
            key: [body(row) for row in shown],
            "end": start + max(len(shown) - 1, 0),
            "first_page_uri": page.link(path, 0, None),
            "next_page_uri": page.link(path, page.number + 1, str(end(shown[-1]))) if len(rows) > page.size else None,
            "page": page.number,
            "page_size": page.size,
            "previous_page_uri": page.link(path, 0, None) if page.number else None,
            "start": start,
            "uri": page.link(path, page.number, page.after),
        }
    )


def meta_page(url: str, query: Mapping[str, str], key: str, rows: Sequence[Any]) -> Response:
    """Return a page of all *rows* as the newer APIs do; its links carry Twilio's own host."""
    page = PageRequest.of(query)
    start = int(page.after or 0)
    end, before = start + page.size, max(start - page.size, 0)
    meta = {
        "page": page.number,
        "page_size": page.size,
        "first_page_url": page.link(url, 0, "0"),
        "previous_page_url": page.link(url, page.number - 1, str(before)) if page.number else None,
        "url": page.link(url, page.number, str(start)),
        "next_page_url": page.link(url, page.number + 1, str(end)) if end < len(rows) else None,
        "key": key,
    }
    return JSONResponse({key: rows[start:end], "meta": meta})


def rfc2822(timestamp: str) -> str:
    """Return a stored time as the 2010 API writes it."""
    return format_datetime(datetime.fromisoformat(timestamp).astimezone(UTC))


def account_path(account_sid: str, rest: str) -> str:
    """Return the address of something in an account, as the 2010 API writes it."""
    return f"/{API_VERSION}/Accounts/{account_sid}{rest}.json"
