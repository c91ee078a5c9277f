"""Credentials of a Twilio account: its token, or an API key with its secret."""

from collections.abc import Mapping

from providers.base import CredentialProblem, Field

FIELDS = (
    Field(
        "account_sid",
        "Account SID",
        pattern=r"AC[0-9a-fA-F]{32}",
        problem="An Account SID is AC followed by 32 hexadecimal digits.",
        placeholder="AC…",
    ),
    Field(
        "auth_token",
        "Auth token",
        pattern=r"[!-~]+",
        help="Or use an API key below, if you do not want to share the account's token.",
        problem="An auth token has only plain letters and digits, without spaces.",
        required=False,
        secret=True,
        either=True,
    ),
    Field(
        "api_key_sid",
        "API key SID",
        help="Instead of the Auth token. A standard key is enough.",
        pattern=r"SK[0-9a-f]{32}",
        problem="An API key SID is SK followed by 32 hexadecimal digits in small letters.",
        placeholder="SK…",
        required=False,
        either=True,
    ),
    Field(
        "api_key_secret",
        "API key secret",
        pattern=r"[!-~]+",
        problem="An API key secret has only plain letters and digits, without spaces.",
        required=False,
        secret=True,
        either=True,
    ),
)


def problem_with(credentials: Mapping[str, str]) -> CredentialProblem | None:
    """Return what keeps Twilio from being signed in to: it takes the token or a key with its secret."""
    token, key, secret = (credentials.get(name) for name in ("auth_token", "api_key_sid", "api_key_secret"))
    if token and (key or secret):
        return CredentialProblem(
            "Use either an Auth token or an API key for Twilio, not both. Remove a stored one with its checkbox.",
            "auth_token",
        )
    if key and not secret:
        return CredentialProblem(
            "Enter the API key secret. Twilio showed it once, when the key was created.", "api_key_secret"
        )
    if secret and not key:
        return CredentialProblem("Enter the API key SID that the secret belongs to.", "api_key_sid")
    if not token and not key:
        return CredentialProblem("Enter the Auth token, or an API key SID with its secret.", "auth_token")
    return None
