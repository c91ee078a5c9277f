"""Provider errors, named by what the caller may do next.

ProviderError
    RequestRejected      it did not happen, and asking again will not help
        NotThere         because the account holds no such thing
    ProviderUnavailable  it did not happen; asking again later may help
    OutcomeUnknown       it may have happened: look before asking again
    NotSupported         this provider never can
ProviderMisconfigured    ours to fix; deliberately not a ProviderError
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Answer:
    """What the provider answered instead of doing it: for the log, and for the provider's support.

    `code` is the provider's own error code, `request_id` its name for the exchange, `body` the beginning of what it
    said. `retry_after` is the pause in seconds that it asked for.
    """

    status: int | None = None
    code: str | None = None
    request_id: str | None = None
    body: str = ""
    retry_after: float | None = None

    def known(self) -> dict[str, Any]:
        """Return what the provider said, by name."""
        return {name: value for name, value in vars(self).items() if value}


class ProviderError(Exception):
    """A provider did not do what was asked. The message is fit for the reader, the `answer` for the log."""

    def __init__(self, message: str, answer: Answer | None = None) -> None:
        super().__init__(message)
        self.answer = answer or Answer()

    @property
    def code(self) -> str | None:
        """The provider's own error code, where it gave one."""
        return self.answer.code


class RequestRejected(ProviderError):
    """The provider refused; nothing happened there."""


class NotThere(RequestRejected):
    """The account holds no such thing: it never did, or does not any more."""


class ProviderUnavailable(ProviderError):
    """The provider could not be asked or was too busy; nothing happened there."""

    @property
    def retry_after(self) -> float | None:
        """The pause in seconds that the provider asked for, where it named one."""
        return self.answer.retry_after


class OutcomeUnknown(ProviderError):
    """The answer was lost: the change may or may not have happened."""


class NotSupported(ProviderError):
    """The provider has no such ability."""


class ProviderMisconfigured(Exception):
    """Our own set-up is wrong (an unmapped host, a missing setting)."""
