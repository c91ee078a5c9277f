"""Secrets of connections: encrypted with the installation's keys, never shown again."""

import contextlib
import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from services.core.settings import Settings


class KeyProblem(Exception):
    """The installation's encryption key is missing or is not the one that the rows were written with."""


def seal(settings: Settings, values: Mapping[str, str]) -> str:
    """Return *values* as an encrypted token, written with the first key."""
    return _fernet(settings).encrypt(json.dumps(dict(values)).encode()).decode()


def unseal(settings: Settings, token: str | None) -> dict[str, str]:
    """Return the values in *token*; none for no token. Raises KeyProblem when no key opens it."""
    if token is None:
        return {}
    try:
        opened: dict[str, str] = json.loads(_fernet(settings).decrypt(token.encode()))
    except InvalidToken as exc:
        raise KeyProblem(
            "NUMBERDESK_ENCRYPTION_KEYS has no key that decrypts the stored connection credentials. Restore the key "
            "that they were saved with."
        ) from exc
    return opened


def check(settings: Settings) -> None:
    """Raise KeyProblem when credentials could not be encrypted with the keys that are set."""
    if settings.encryption_keys.strip() or settings.database_url:
        _fernet(settings)


def prepare(settings: Settings, tokens: Iterable[str]) -> None:
    """See that the keys open every one of the stored *tokens*; only where there is none yet, make a key.

    Raises KeyProblem. A new key is never written beside data that another key encrypted.
    """
    is_new = True
    for token in tokens:
        is_new = False
        unseal(settings, token)
    if is_new and not settings.encryption_keys.strip() and not settings.database_url:
        _generated(_key_file(settings))


def _fernet(settings: Settings) -> MultiFernet:
    keys = [key.strip() for key in settings.encryption_keys.split(",") if key.strip()]
    if not keys and settings.database_url:
        raise KeyProblem(
            "Set NUMBERDESK_ENCRYPTION_KEYS: with your own database, you have to keep the key that encrypts "
            "credentials. The README explains how to create one."
        )
    if not keys:
        keys = [_read(_key_file(settings))]
    try:
        return MultiFernet([Fernet(key) for key in keys])
    except ValueError as exc:
        raise KeyProblem("NUMBERDESK_ENCRYPTION_KEYS contains something that is not a Fernet key.") from exc


def cookie_key(settings: Settings) -> str:
    """Return the key that signs the sign-in cookie: the setting, or one kept in the data folder."""
    return settings.cookie_key or _generated(settings.data_dir / "cookie.key")


def _key_file(settings: Settings) -> Path:
    return settings.data_dir / "encryption.key"


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except FileNotFoundError as exc:
        raise KeyProblem(
            f"The encryption key is missing: {path}. Restore the file, or set NUMBERDESK_ENCRYPTION_KEYS to the key "
            f"it contained: without it the stored connection credentials cannot be read. No new key was created."
        ) from exc


def _generated(path: Path) -> str:
    """Return the key in *path*, made on first use and readable by its owner alone."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=path.parent)  # mode 600
        with os.fdopen(handle, "w") as file:
            file.write(Fernet.generate_key().decode())
        with contextlib.suppress(FileExistsError):  # another process was faster
            os.link(draft, path)
        os.unlink(draft)
    return path.read_text().strip()
