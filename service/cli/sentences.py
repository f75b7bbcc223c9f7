"""What went wrong in a command, in one sentence: our own errors by their words, the database's by what they mean."""

from dataclasses import dataclass

import psycopg
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from models.catalog import UnknownClassifier
from models.encoder.weights import WeightsRefused
from models.taxonomies.folder import HeadRefused
from models.taxonomies.taxonomy import BadTaxonomy
from service.cli.serve import PortTaken
from service.deliver.addresses import InvalidTarget
from service.ingest.file_layout import UnreadableFile
from service.ingest.importing import Overtaken
from service.installation import WrongSecretKey
from service.people.access import InvalidKeyRequest
from service.people.passwords import WeakPassword
from service.people.users import InvalidUser
from service.settings import Settings
from service.store.database import DatabaseUnusable, explain
from service.store.postgres import EmbeddedUnavailable
from service.store.vault import SecretKeyUnusable

FAILED = 1
USED_WRONGLY = 2
_OURS = (
    DatabaseUnusable,
    EmbeddedUnavailable,
    SecretKeyUnusable,
    WrongSecretKey,
    InvalidKeyRequest,
    InvalidUser,
    WeakPassword,
    InvalidTarget,
    UnknownClassifier,
    WeightsRefused,
    BadTaxonomy,
    HeadRefused,
    PortTaken,
    UnreadableFile,
    Overtaken,
)


@dataclass(frozen=True, slots=True)
class Told:
    """A sentence for standard error, and how the process ends."""

    text: str
    exit_code: int


def sentence(error: Exception) -> Told | None:
    """What to tell of an error; None for one that nobody foresaw, whose traceback is worth more."""
    if isinstance(error, ValidationError) and error.title == Settings.__name__:
        return Told("\n".join(f"{_variable(one['loc'])}: {one['msg']}." for one in error.errors()), USED_WRONGLY)
    if isinstance(error, _OURS):
        return Told(str(error), FAILED)
    if isinstance(error, (DBAPIError, psycopg.Error)):
        return Told(explain(error, "HEED_DATABASE_URL"), FAILED)
    if isinstance(error, PoolTimeout):
        return Told("All connections to the database are in use: try again.", FAILED)
    return None


def _variable(place: tuple[int | str, ...]) -> str:
    return "HEED_" + "_".join(str(step) for step in place).upper()
