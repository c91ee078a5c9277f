"""What can go wrong at a provider, named by what the caller may do next.

ProviderError
    RequestRejected      it did not happen, and asking again will not help
    ProviderUnavailable  it did not happen; asking again later may help
    OutcomeUnknown       it may have happened: look before asking again
    NotSupported         this provider never can
ProviderMisconfigured    ours to fix; deliberately not a ProviderError
"""


class ProviderError(Exception):
    """A provider did not do what was asked. The message is fit for the reader.

    `code` is the provider's own error code, as text, where it gave one.
    """

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code


class RequestRejected(ProviderError):
    """The provider refused; nothing happened there."""


class ProviderUnavailable(ProviderError):
    """The provider could not be asked or was too busy; nothing happened there.

    `retry_after` is the pause in seconds that the provider asked for, where it named one.
    """

    def __init__(self, message: str, *, code: str | None = None, retry_after: float | None = None) -> None:
        super().__init__(message, code=code)
        self.retry_after = retry_after


class OutcomeUnknown(ProviderError):
    """The answer was lost: the change may or may not have happened."""


class NotSupported(ProviderError):
    """The provider has no such ability."""


class ProviderMisconfigured(Exception):
    """Our own set-up is wrong (an unmapped host, a missing setting)."""
