"""`/livez`, `/readyz`, `/metrics`: is it alive, can it take feedback durably, how much of everything."""

from fastapi import APIRouter, Response
from prometheus_client import generate_latest
from pydantic import BaseModel

from service.api.dependencies import SessionDep, WiringDep
from service.health import Health, gauges, readiness
from service.telemetry import REGISTRY

router = APIRouter(tags=["health"])


class LiveOut(BaseModel):
    """The process lives."""

    alive: bool = True


@router.get("/livez", summary="Is it alive?")
async def livez() -> LiveOut:
    """200 while the process lives; touches nothing else, and waits for no thread."""
    return LiveOut()


@router.get("/readyz", summary="Can it take feedback?", responses={503: {"model": Health}})
def readyz(parts: WiringDep, response: Response) -> Health:
    """200 when feedback can be accepted durably, else 503; `degraded` lists what works less well than it should."""
    health = readiness(parts.database, parts.reader.trouble)
    if not health.ready:
        response.status_code = 503
        response.headers["retry-after"] = "2"
    return health


@router.get("/metrics", summary="Metrics for Prometheus", response_class=Response)
def metrics(session: SessionDep) -> Response:
    """Prometheus text: this process's requests, and the state of the whole installation."""
    return Response(generate_latest(REGISTRY) + gauges(session), media_type="text/plain; version=0.0.4; charset=utf-8")
