"""The one list of sources: kind -> how its payloads are read."""

from collections.abc import Mapping

from service.ingest.plain import PlainSource
from service.ingest.source import Source

SOURCES: Mapping[str, Source] = {
    "api": PlainSource(),
}
