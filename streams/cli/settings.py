"""`sekisho settings`: every setting, its value here, and what it is for."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import click
from rich.table import Table
from rich.text import Text

from streams.cli.console import load_settings, to_stdout, variable, warn_of_unknown_variables

if TYPE_CHECKING:
    from streams.settings import Settings

#: What stands in place of a secret that is set.
HIDDEN = "********"


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as it is shown; values as text or plain JSON, secrets hidden."""

    name: str
    variable: str
    value: Any
    default: Any
    changed: bool
    description: str


@click.command()
@click.option("--json", "as_json", is_flag=True, help="A list of objects on standard output.")
def command(*, as_json: bool) -> None:
    """Show every setting: environment variable, value, default and meaning. Secrets are hidden.

    Settings come from SEKISHO_* variables, from files in the directory that SEKISHO_SECRETS_DIR names (one a setting,
    called sekisho_security_password and so on), or from the TOML file that SEKISHO_CONFIG names; the first wins.

    Example: SEKISHO_BROKER=kafka-1:9092,kafka-2:9092 sekisho settings
    """
    shown = list_settings(load_settings())
    if as_json:
        click.echo(json.dumps([asdict(setting) for setting in shown]))
    else:
        to_stdout().print(_table(shown))
    warn_of_unknown_variables()


def list_settings(settings: Settings) -> list[Setting]:
    """All settings in the order of the class."""
    return [
        Setting(
            name=name,
            variable=variable(name),
            value=_plain(getattr(settings, name)),
            default=_plain(field.get_default(call_default_factory=False)),
            changed=name in settings.model_fields_set and getattr(settings, name) != field.default,
            description=field.description or "",
        )
        for name, field in type(settings).model_fields.items()
    ]


def _plain(value: object) -> object:
    from pydantic import SecretStr

    if isinstance(value, SecretStr):
        return HIDDEN
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _table(settings: list[Setting]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("variable", "value", "default", "meaning"):
        table.add_column(heading, overflow="fold", no_wrap=heading == "variable")
    for setting in settings:
        table.add_row(
            Text(setting.variable),
            Text(_shown(setting.value), style="bold green" if setting.changed else ""),
            Text(_shown(setting.default) if setting.changed else "", style="dim"),
            Text(setting.description),
        )
    return table


def _shown(value: object) -> str:
    if value is None:
        return "-"
    return value if isinstance(value, str) else json.dumps(value)
