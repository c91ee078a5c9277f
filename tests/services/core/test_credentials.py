"""Secrets at rest: sealed, opened by the right key alone, and keys that nobody else can read."""

import stat
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from services.core import credentials
from services.core.settings import Settings


def installation(folder: Path, keys: str = "") -> Settings:
    made = Settings(data_dir=folder, encryption_keys=keys)
    credentials.prepare(made, [])
    return made


def test_what_is_sealed_is_not_readable_and_opens_again(tmp_path: Path) -> None:
    settings = installation(tmp_path)
    token = credentials.seal(settings, {"auth_token": "very secret"})
    assert "secret" not in token
    assert credentials.unseal(settings, token) == {"auth_token": "very secret"}
    assert credentials.unseal(settings, None) == {}


def test_the_generated_key_is_kept_and_its_owners_alone(tmp_path: Path) -> None:
    token = credentials.seal(installation(tmp_path / "new"), {"a": "b"})
    assert credentials.unseal(installation(tmp_path / "new"), token) == {"a": "b"}
    for name in ("encryption.key",):
        assert stat.S_IMODE((tmp_path / "new" / name).stat().st_mode) == 0o600


def test_an_older_key_still_opens_what_it_sealed(tmp_path: Path) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    token = credentials.seal(installation(tmp_path, old), {"a": "b"})
    assert credentials.unseal(installation(tmp_path, f"{new}, {old}"), token) == {"a": "b"}
    with pytest.raises(credentials.KeyProblem, match="no key that decrypts"):
        credentials.unseal(installation(tmp_path, new), token)
    with pytest.raises(credentials.KeyProblem, match="no key that decrypts"):
        credentials.prepare(installation(tmp_path, new), [token])


def test_a_key_that_is_none_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(credentials.KeyProblem, match="not a Fernet key"):
        credentials.seal(installation(tmp_path, "short"), {})


def test_no_key_is_ever_made_beside_what_another_key_encrypted(tmp_path: Path) -> None:
    settings = installation(tmp_path)
    token = credentials.seal(settings, {"a": "b"})
    lost = tmp_path / "encryption.key"
    lost.rename(tmp_path / "kept")
    for act in (
        lambda: credentials.prepare(settings, [token]),
        lambda: credentials.unseal(settings, token),
        lambda: credentials.seal(settings, {"c": "d"}),  # the app was running when the file was lost
    ):
        with pytest.raises(credentials.KeyProblem, match="No new key was created"):
            act()
        assert not lost.exists()
    (tmp_path / "kept").rename(lost)
    credentials.prepare(settings, [token])
    assert credentials.unseal(settings, token) == {"a": "b"}
