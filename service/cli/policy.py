"""`heed policy`: check a policy file, publish it, compare versions, let one decide, keep them in a folder."""

from pathlib import Path
from typing import Annotated

import typer
from sqlmodel import col, select

from service import policies
from service.classify import Reader
from service.cli.actor import actor
from service.cli.backtest import backtest
from service.cli.output import AsJson, print_json, print_table
from service.cli.policy_folder import export_version, import_folder
from service.cli.policy_steps import Comment, Version, opened_session, publish, refuse, tell_published, warn
from service.deliver.plain_text import visible
from service.route import versions
from service.route.activation import Activation, Mode, Scope
from service.route.difference import difference
from service.route.english import describe
from service.route.findings import InvalidPolicy
from service.route.in_force import in_force
from service.route.phrases import listed, percent
from service.settings import Settings
from service.store.tables import Policy

app = typer.Typer(
    help="Policies: check, add, list, show, diff, backtest, activate, rollback, export, import.", no_args_is_help=True
)
File = Annotated[Path, typer.Argument(help="A YAML file.", exists=True, dir_okay=False, readable=True)]
CHECK_FAILED = 3


@app.command()
def check(file: File, as_json: AsJson = False) -> None:
    """Say what is wrong with a policy file, with line and column; needs no database. Exit 3 when it does not hold."""
    try:
        settings = Settings()
        sound = policies.check(Reader(settings.model, settings.taxonomy), file.read_bytes())
    except InvalidPolicy as error:
        refuse(file, error, CHECK_FAILED, as_json)
    if as_json:
        print_json({"errors": [], "warnings": sound.warnings})
        return
    warn(file, sound.warnings)
    print(f"Policy '{sound.policy.name}' is sound: {len(sound.policy.rules)} rules.")


@app.command()
def add(
    file: File, comment: Annotated[str | None, typer.Option(help="Why this version.")] = None, as_json: AsJson = False
) -> None:
    """Publish a policy file as the next version, a draft; it decides nothing until it is activated."""
    settings = Settings()
    with opened_session(settings) as session:
        published = publish(session, settings, file, file.read_bytes(), comment, as_json)
    tell_published(file, published, as_json)


@app.command("list")
def list_versions(as_json: AsJson = False) -> None:
    """All versions, newest first, and what each does now."""
    with opened_session(Settings()) as session:
        force = in_force(session)
        rows = session.exec(select(Policy).order_by(col(Policy.version).desc())).all()
        deciding = versions.active_version(session)
        shown = [
            {
                **row.model_dump(exclude={"tree", "document"}),
                "active": row.version == deciding,
                "does": [_does(one) for one in force if one.version == row.version],
            }
            for row in rows
        ]
    if as_json:
        print_json({"items": shown, "next": None})
    else:
        columns = ("version", "name", "does", "created_by", "created_at", "comment")
        lines = [
            {**row, "does": ", ".join(row["does"]), "created_at": f"{row['created_at']:%Y-%m-%d %H:%M}"}
            for row in shown
        ]
        print_table(columns, [[row[column] for column in columns] for row in lines])


def _does(one: Activation) -> str:
    """`decides for everyone`, `decides for 10 % of customers in emea`, `looks on`."""
    verb = "decides for" if one.mode == "live" else "looks on at"
    whose = "everyone" if one.share >= 1 else f"{percent(one.share)} of customers"
    where = [f"in {listed(one.scope.region, 'or')}"] if one.scope.region else []
    where += [f"from {listed(one.scope.source, 'or')}"] if one.scope.source else []
    return " ".join([verb, whose, *where])


@app.command()
def show(
    version: Version,
    plain: Annotated[bool, typer.Option("--plain", help="In plain language instead of the document.")] = False,
    as_json: AsJson = False,
) -> None:
    """A version as it was written, or in plain language."""
    with opened_session(Settings()) as session:
        row, sections = session.get(Policy, version), describe(versions.fetch(session, version))
    if row is None:
        raise typer.Exit(1)
    if as_json:
        print_json({**row.model_dump(), "plain": sections} if plain else row.model_dump())
    elif not plain:
        print(row.document, end="")
    else:
        for section in sections:
            print(visible(f"{section.title}\n"))
            for entry in section.entries:
                print(visible(f"  {entry.name}: {' '.join(entry.sentences)}\n"))


@app.command()
def diff(
    before: Annotated[int, typer.Argument(help="The version to compare with.", min=1, max=2**31 - 1)],
    after: Annotated[int, typer.Argument(help="The version that changes it.", min=1, max=2**31 - 1)],
    as_json: AsJson = False,
) -> None:
    """What a version says otherwise than another: in plain English, and field by field."""
    with opened_session(Settings()) as session:
        found = difference(versions.fetch(session, before), versions.fetch(session, after))
    if as_json:
        print_json({"version": after, "against": before, "changes": found.changes, "sentences": found.sentences})
        return
    if not found.changes:
        print(f"Versions {before} and {after} say the same.")
    for change in found.changes:
        for sentence in change.sentences:
            print(visible(sentence))
        for one in change.fields:
            old, new = one.before or "nothing", one.after or "nothing"
            print(visible(f"    {change.section} {change.name}, {one.field}: {old} -> {new}"))


@app.command()
def activate(
    version: Version,
    comment: Comment,
    mode: Annotated[Mode, typer.Option(help="live decides; shadow decides beside, without effect.")] = "live",
    share: Annotated[float, typer.Option(help="The share of customers, above 0 to 1.")] = 1.0,
    region: Annotated[list[str] | None, typer.Option(help="Only customers of this region; may be repeated.")] = None,
    source: Annotated[list[str] | None, typer.Option(help="Only what this source sent; may be repeated.")] = None,
    as_json: AsJson = False,
) -> None:
    """Let a version decide from now on, in every process: everything, or the part you name."""
    if not 0 < share <= 1:
        raise typer.BadParameter("a share is above 0 and at most 1: 0.1 is a tenth", param_hint="--share")
    settings = Settings()
    scope = Scope(tuple(region or ()), tuple(source or ()))
    with opened_session(settings) as session:
        policies.activate(
            session,
            Reader(settings.model, settings.taxonomy),
            version,
            by=actor(),
            comment=comment,
            need_approval=settings.require_approval,
            mode=mode,
            share=share,
            scope=scope,
        )
        does = [_does(one) for one in in_force(session) if one.version == version]
        active = versions.active_version(session) == version
    if as_json:
        print_json({"version": version, "active": active, "does": does})
    else:
        print(f"From now on version {version} {' and '.join(does)}.")


@app.command()
def deactivate(version: Version, comment: Comment, as_json: AsJson = False) -> None:
    """End what a version does beside the one for everyone: its staged or shadow activation."""
    with opened_session(Settings()) as session:
        versions.deactivate(session, version, by=actor(), comment=comment)
    print_json({"version": version, "active": False}) if as_json else print(f"Version {version} is not in force now.")


@app.command()
def rollback(comment: Comment, as_json: AsJson = False) -> None:
    """Let the version that decided for everyone before decide again."""
    settings = Settings()
    with opened_session(settings) as session:
        version = versions.rollback(session, by=actor(), comment=comment, need_approval=settings.require_approval)
    print_json({"version": version, "active": True}) if as_json else print(f"Version {version} decides again.")


app.command("backtest")(backtest)
app.command("export")(export_version)
app.command("import")(import_folder)
