"""`heed`: every command, each in a file of its own; what went wrong is one sentence and an exit code."""

import sys

import typer
from click.exceptions import Abort, ClickException
from pydantic import ValidationError
from rich.console import Console
from sqlalchemy.exc import DBAPIError

from models.catalog import UnknownClassifier
from service import telemetry
from service.cli import bench, classify, deliveries, demo, doctor, keys, migrate, policy, serve
from service.deliver.addresses import InvalidTarget
from service.installation import WrongSecretKey
from service.people.access import InvalidKeyRequest
from service.store.database import DatabaseUnusable, explain
from service.store.postgres import EmbeddedUnavailable
from service.store.vault import SecretKeyUnusable

app = typer.Typer(
    name="heed",
    help="Turns what customers write into the follow-up it deserves.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command()(demo.demo)
app.command()(serve.serve)
app.command()(serve.worker)
app.command()(classify.classify)
app.add_typer(policy.app, name="policy")
app.add_typer(keys.app, name="keys")
app.add_typer(deliveries.app, name="deliveries")
app.add_typer(bench.app, name="bench")
app.command()(doctor.doctor)
app.command()(migrate.migrate)

_SENTENCES = (
    DatabaseUnusable,
    EmbeddedUnavailable,
    SecretKeyUnusable,
    WrongSecretKey,
    InvalidKeyRequest,
    InvalidTarget,
    UnknownClassifier,
    serve.PortTaken,
)


def main() -> None:
    """Run a command. Exit codes: 0 done, 1 failed, 2 wrong usage, 3 a check did not hold."""
    errors = Console(stderr=True)
    telemetry.configure("warning")  # `serve` and `worker` say more
    try:
        code = app(standalone_mode=False)
    except ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (Abort, KeyboardInterrupt):
        sys.exit(130)
    except ValidationError as error:
        for one in error.errors():
            name = "HEED_" + "_".join(str(step) for step in one["loc"]).upper()
            errors.print(f"{name}: {one['msg']}.", markup=False, highlight=False, soft_wrap=True)
        sys.exit(2)
    except _SENTENCES as error:
        errors.print(str(error), markup=False, highlight=False, soft_wrap=True)
        sys.exit(1)
    except DBAPIError as error:
        errors.print(explain(error, "HEED_DATABASE_URL"), markup=False, highlight=False, soft_wrap=True)
        sys.exit(1)
    sys.exit(code if isinstance(code, int) else 0)
