"""A web process that ends as `kill -9` ends it, between the commit of a label and its answer: DATABASE SECRET PORT."""

import os
import signal
import sys

import uvicorn
from sites import wired
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.app import create_app
from service.classify import Reader
from service.deliver.http import open_client
from service.store.database import connect
from service.store.vault import Vault


def deadly(app: ASGIApp) -> ASGIApp:
    """The application; what it would answer to a label is the last thing it does."""

    async def run(scope: Scope, receive: Receive, send: Send) -> None:
        async def sent(message: Message) -> None:
            if scope.get("path") == "/v1/calibration/labels":
                os.kill(os.getpid(), signal.SIGKILL)
            await send(message)

        await app(scope, receive, sent)

    return run


if __name__ == "__main__":
    database, secret, port = sys.argv[1:]
    wiring = wired(connect(database), Vault(secret), Reader("keywords"), open_client(frozenset()))
    uvicorn.run(deadly(create_app(wiring)), port=int(port), log_config=None, access_log=False, lifespan="off")
