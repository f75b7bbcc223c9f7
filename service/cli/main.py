"""`heed`: every command, each in a file of its own; what went wrong is one sentence and an exit code."""

import os
import sys

import typer

from service.cli.commands import COMMANDS, Lazy

app = typer.Typer(
    name="heed",
    cls=Lazy,
    help="Turns what customers write into the follow-up it deserves.",
    epilog="Begin with `heed demo`, or with `heed serve` and `heed keys create`. `heed COMMAND --help` says more.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


@app.callback()
def _before() -> None:
    from service import telemetry  # noqa: PLC0415 (here, as everything slow: `heed --help` answers at once)

    telemetry.configure("warning")  # `serve` and `worker` say more


def _listed() -> None:
    """Stands in the list for a command, which `Lazy` loads when it is called."""


for name, command in COMMANDS.items():
    app.command(name, help=command.summary)(_listed)


def main() -> None:
    """Run a command. Exit 0 done, 1 failed, 2 used wrongly, 3 a check did not hold."""
    # Before numpy is loaded: its BLAS starts a thread per core, which costs .2 CPU seconds and is never needed.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # as in models/encoder/session.py, for whatever else loads the runtime
    try:
        app()
    except Exception as error:
        from service.cli.sentences import sentence  # noqa: PLC0415 (it knows every error, and so every part of heed)

        told = sentence(error)
        if told is None:
            raise
        print(told.text, file=sys.stderr)
        sys.exit(told.exit_code)
