"""`POST /v1/classify`: what the classifier says of a few texts; nothing is stored."""

from typing import Annotated, Any, Self

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from models.prediction import Classification, Verbatim
from service.api import examples
from service.api.dependencies import StrictRoute, Unread, UnreadDep

router = APIRouter(prefix="/v1/classify", tags=["classify"], route_class=StrictRoute)

Text = Annotated[str, Field(max_length=100_000)]


def _without_default(schema: dict[str, Any]) -> None:
    """As FastAPI describes a field that may be missing."""
    del schema["default"]


class ClassifyIn(BaseModel):
    """Up to 256 texts, and the survey question each answers where it is known."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [examples.TEXTS]})

    texts: Annotated[list[Text], Field(min_length=1, max_length=256)]
    questions: Annotated[list[Text | None] | None, Field(json_schema_extra=_without_default)] = None

    @model_validator(mode="after")
    def _a_question_each(self) -> Self:
        if self.questions is not None and len(self.questions) != len(self.texts):
            raise ValueError(f"{len(self.questions)} questions for {len(self.texts)} texts: give one each, or null")
        return self


class ClassifyOut(BaseModel):
    """One classification per text, in order."""

    results: list[Classification]


_BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ClassifyIn"}}},
    }
}


@router.post(
    "",
    summary="Classify texts",
    response_model=ClassifyOut,
    responses=examples.answer(200, examples.CLASSIFIED)
    | {429: {"description": "So many of your texts wait that no more are taken: ask again after `Retry-After`"}},
    openapi_extra=_BODY,
)
async def classify(unread: UnreadDep) -> Response:
    """Classify texts without storing them.

    The probabilities are the model's own: a text sent here is of no source, so no source's calibrator corrects it.
    """
    return await unread.in_a_thread(_classified)


def _classified(unread: Unread) -> Response:
    caller, body = unread.read(ClassifyIn, "supervisor", "product")
    reader = unread.parts.reader
    questions = body.questions or [None] * len(body.texts)
    asked = [Verbatim(text, question) for text, question in zip(body.texts, questions, strict=True)]
    with reader.line.place(caller.name, len(asked)):
        read = ClassifyOut(results=reader.read(asked))
    # Written here, in this thread: FastAPI would check it once more, in another one.
    return Response(read.model_dump_json(), media_type="application/json")
