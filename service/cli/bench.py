"""placeholder."""

import typer

app = typer.Typer()


@app.callback()
def main() -> None:
    """To come."""
