"""Who may hand over, accept, decline and review: a table of what is refused, and with what remedy."""

import pytest
from pydantic import TypeAdapter

from service.work.events import Event
from service.work.handing import Standing, require
from service.work.lifecycle import Impossible

EVENT = TypeAdapter(Event)
OWNED, OFFERED = Standing("ana"), Standing("ana", "sam")


def event(type: str, **more):
    needed = {"hand_off": {"owner": "sam"}, "decline": {"comment": "no"}, "review_bypass": {"fitting": True}}
    return EVENT.validate_python({"type": type, **needed.get(type, {}), **more})


@pytest.mark.parametrize(
    ("standing", "said", "actor", "refusal"),
    [
        (OWNED, event("hand_off"), "ana", None),
        (OWNED, event("hand_off"), "max", None),  # a supervisor offers what is somebody else's
        (Standing(None), event("hand_off"), "max", None),
        (OWNED, event("hand_off", owner="ana"), "max", "is ana's already: offer it to somebody else"),
        (OFFERED, event("hand_off", owner="max"), "ana", "offered to sam already: its owner may take that back"),
        (OFFERED, event("accept"), "sam", None),
        (OFFERED, event("accept"), "ana", "only they may accept it; 'assign' gives it at once"),
        (OWNED, event("accept"), "sam", "not offered to anybody: 'accept' answers a 'hand_off'"),
        (OFFERED, event("decline"), "sam", None),
        (OFFERED, event("decline"), "ana", None),
        (OFFERED, event("decline"), "max", "its owner, ana, may take the offer back"),
        (Standing(None, "sam"), event("decline"), "max", "its owner, nobody, may"),
        (OWNED, event("decline"), "ana", "not offered to anybody"),
        (OFFERED, event("assign", owner="max"), "max", None),
        (OFFERED, event("resolve"), "max", None),
        (Standing("kim", bypass="key"), event("review_bypass"), "max", None),
        (OWNED, event("review_bypass"), "max", "did not bypass its group"),
    ],
)
def test_what_is_not_the_actors_to_say_is_refused_with_a_remedy(standing, said, actor, refusal):
    if refusal is None:
        require(standing, said, actor)
    else:
        with pytest.raises(Impossible) as caught:
            require(standing, said, actor)
        assert refusal in caught.value.detail
