"""A connection's own clock, which uvicorn lacks: it keeps half-sent headers, and bodies nobody reads, open for ever."""

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

PATIENCE = 10  # seconds


class Connection(H11Protocol):
    """uvicorn's HTTP/1.1, closed when a request's headers, or the rest of a body that has its answer, take too long.

    Bodies that are waited for are the door's concern, and a connection at rest is uvicorn's `timeout_keep_alive`.
    """

    patience: float = PATIENCE
    _clock: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's own
        """Somebody connected, and owes us a request."""
        super().connection_made(transport)
        self._watch(waiting=True)

    def data_received(self, data: bytes) -> None:
        """Some of a request, or what follows it."""
        super().data_received(data)
        if not self.transport.is_closing():
            self._watch(waiting=self._owes())

    def on_response_complete(self) -> None:
        """An answer is out; the next request may have begun to come in."""
        super().on_response_complete()
        self._watch(waiting=self._owes())

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        self._watch(waiting=False)
        super().connection_lost(exc)

    def _owes(self) -> bool:
        if self.conn.their_state is h11.IDLE:
            return bool(self.conn.trailing_data[0])
        return self.conn.their_state is h11.SEND_BODY and self.cycle.response_complete

    def _watch(self, *, waiting: bool) -> None:
        if waiting and self._clock is None:
            self._clock = self.loop.call_later(self.patience, self.transport.abort)
        elif not waiting and self._clock is not None:
            self._clock.cancel()
            self._clock = None
