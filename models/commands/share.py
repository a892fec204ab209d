"""`sekisho models share`: the models that hold one trunk, scored in one request."""

from __future__ import annotations

import asyncio

import click

from streams.cli.models import changing, with_client


@click.command()
@click.option("--now", is_flag=True, help="Do not wait until nobody asks for the assemblies of before.")
def command(*, now: bool) -> None:
    """Have one request score all message models of rules/domains.yaml that hold the same trunk.

    For every trunk that two or more of them hold, an assembly of trunk and heads is put beside the models, after each
    of its scores was compared with its own model's bit for bit and its golden rows came out right on Triton. Running
    workers ask it within seconds. Names and versions in alerts and predictions stay those of the heads; a version that
    is in no assembly, as after `sekisho models promote`, is asked alone until this command is given again. Assemblies
    of before are taken out when nobody asks for them any more. What cannot be served changes nothing.

    Example: sekisho models share
    """
    from models.export.assembly import assemblies_of
    from streams.cli.console import load_settings
    from streams.cli.policy_file import read_policy
    from streams.inference import sharing
    from streams.inference.contracts import MESSAGE, ModelVersion, family_of

    settings = load_settings()
    repository = settings.model_repository
    named = [
        ModelVersion(ref.model, ref.version)
        for domain in read_policy(settings).domains.values()
        for ref in (domain.champion, domain.challenger)
        if ref is not None
    ]
    wanted = [version for version in named if family_of(version.model) is MESSAGE]
    with changing(repository):
        try:
            built = assemblies_of(repository, wanted)
        except (ValueError, ArithmeticError) as error:
            raise click.ClickException(str(error)) from error
        for one in built:
            asyncio.run(with_client(settings, sharing.serve, repository, one))
            click.echo(f"{one.name}: scores {', '.join(map(str, one.heads))} in one request")
        if not built:
            click.echo("no two message models of the policy hold the same trunk, so each is asked alone")
        idle_s = 0.0 if now else 2 * settings.rules_poll_s
        gone = asyncio.run(
            with_client(
                settings,
                sharing.take_out_others,
                repository,
                [one.name for one in built],
                idle_s=idle_s,
            )
        )
    for name in gone:
        click.echo(f"{name} was removed")
