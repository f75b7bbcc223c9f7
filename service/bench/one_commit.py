"""`python -m service.bench.one_commit`: heed's web process, except that every request commits for itself."""

import socket

import structlog
import uvicorn

from service import telemetry
from service.api.connection import Connection
from service.api.dependencies import Wiring
from service.app import create_app
from service.classify import Reader
from service.deliver.http import open_client
from service.ingest.group import GroupedIntake
from service.ingest.intake import Outcome, Submission
from service.installation import open_installation
from service.settings import Settings

log = structlog.get_logger(__name__)


class OneCommitEach(GroupedIntake):
    """The intake without its groups: requests commit side by side, each on a connection of its own."""

    def submit(self, submission: Submission) -> Outcome:
        """Store a submission in a transaction of its own."""
        (outcome,) = self._accept([submission])
        return outcome


def main() -> None:
    """Serve on a free port until SIGTERM."""
    settings = Settings()
    telemetry.configure(settings.log_level)
    with socket.socket(proto=socket.IPPROTO_TCP) as door, open_installation(settings, pool=40) as opened:
        door.bind(("127.0.0.1", 0))
        door.listen(1024)
        parts = Wiring(
            database=opened.database,
            vault=opened.vault,
            intake=OneCommitEach(opened.database, opened.vault),
            reader=Reader(settings.model, settings.taxonomy),
            http=open_client(frozenset()),
            require_approval=False,
        )
        log.info("web.started", port=door.getsockname()[1])
        config = uvicorn.Config(
            create_app(parts), http=Connection, ws="none", log_config=None, access_log=False, server_header=False
        )
        uvicorn.Server(config).run(sockets=[door])


if __name__ == "__main__":
    main()
