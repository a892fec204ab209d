"""Where settings come from, and that what is secret shows nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from streams.settings import Settings


@pytest.fixture
def secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory as Kubernetes mounts a secret: names that are links into a directory beside them."""
    mounted = tmp_path / "secrets"
    (mounted / "..2026_11_21").mkdir(parents=True)
    (mounted / "..2026_11_21" / "sekisho_security_password").write_text("from-a-file\n")
    (mounted / "..data").symlink_to("..2026_11_21")
    (mounted / "sekisho_security_password").symlink_to("..data/sekisho_security_password")
    (mounted / "password_of_something_else").write_text("not ours")
    monkeypatch.setenv("SEKISHO_SECRETS_DIR", str(mounted))
    return mounted


def password(settings: Settings) -> str | None:
    return settings.security_password and settings.security_password.get_secret_value()


def test_a_secret_is_read_from_its_file(secrets: Path) -> None:
    (secrets / "sekisho_triton_admin_key").write_text("key-from-a-file")
    settings = Settings()
    assert password(settings) == "from-a-file"
    assert settings.triton_admin_key is not None
    assert settings.triton_admin_key.get_secret_value() == "key-from-a-file"


def test_a_variable_beats_the_file_and_the_file_beats_the_toml(
    secrets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toml = tmp_path / "sekisho.toml"
    toml.write_text('security_password = "from-toml"\nsecurity_username = "someone"\n')
    monkeypatch.setenv("SEKISHO_CONFIG", str(toml))
    assert (password(Settings()), Settings().security_username) == ("from-a-file", "someone")
    monkeypatch.setenv("SEKISHO_SECURITY_PASSWORD", "from-a-variable")
    assert password(Settings()) == "from-a-variable"


def test_a_directory_of_secrets_that_is_not_there_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEKISHO_SECRETS_DIR", "/nowhere")
    with pytest.raises(FileNotFoundError, match="SEKISHO_SECRETS_DIR names /nowhere"):
        Settings()


@pytest.mark.parametrize("server", ["broker", "triton"])
def test_a_login_inside_an_address_is_refused_and_not_repeated(server: str) -> None:
    with pytest.raises(ValidationError, match="write host:port") as refused:
        Settings(**{server: "kafka://me:hunter2@kafka-1:9092"})
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    "toml",
    [
        "security_password = 314159265",
        'security_passwort = "314159265"',
        'security_protocol = "314159265"',
        "triton_admin_key = [314159265]",
    ],
)
def test_a_setting_that_cannot_be_used_is_not_repeated(
    toml: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be a secret in the wrong place."""
    (tmp_path / "sekisho.toml").write_text(toml)
    monkeypatch.setenv("SEKISHO_CONFIG", str(tmp_path / "sekisho.toml"))
    with pytest.raises(ValidationError) as refused:
        Settings()
    assert "314159265" not in str(refused.value)
    assert "314159265" not in repr(refused.value)


def test_settings_show_no_secret(secrets: Path) -> None:
    settings = Settings()
    for shown in (
        repr(settings), str(settings), f"{settings.security_password}", settings.model_dump_json(),
        repr(settings.model_dump()),
    ):  # fmt: skip
        assert "from-a-file" not in shown
