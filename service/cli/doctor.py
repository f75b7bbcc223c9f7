"""`heed doctor`: looks an installation over and says what is wrong."""

import typer

from service import doctor as examination
from service.cli.output import AsJson, print_json, print_table
from service.installation import reach_database
from service.settings import Settings

CHECK_FAILED = 3


def doctor(as_json: AsJson = False) -> None:
    """Look at everything an installation needs and say what is wrong. Exit 3 when something is."""
    settings = Settings()
    with reach_database(settings, pool=2) as database:
        findings = examination.examine(settings, database)
    if as_json:
        print_json({"ok": all(finding.ok for finding in findings), "findings": findings})
    else:
        print_table(("", "what", "finding"), [("ok" if one.ok else "!!", one.name, one.detail) for one in findings])
    if not all(finding.ok for finding in findings):
        raise typer.Exit(CHECK_FAILED)
