"""`heed migrate`: bring the database to the newest schema."""

from service.cli.output import AsJson, print_json
from service.installation import open_installation
from service.settings import Settings
from service.store.migrate import head


def migrate(as_json: AsJson = False) -> None:
    """Bring the database to the newest schema. Safe to run twice, and while other processes start."""
    with open_installation(Settings(), pool=2):
        reached = head()
    if as_json:
        print_json({"schema": reached})
    else:
        print(f"The database stands at schema {reached}.")
