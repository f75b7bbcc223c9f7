"""`settle()` against a model that keeps every record it was ever given and looks them all up."""

from dataclasses import dataclass
from uuid import UUID, uuid4

from hypothesis import given, settings
from hypothesis import strategies as st

from service.ingest.record import FeedbackRecord, digest_of
from service.ingest.settle import Settled, settle


@dataclass
class Naive:
    """All records taken so far, in order."""

    taken: list[tuple[FeedbackRecord, UUID]]

    def take(self, record: FeedbackRecord, new_id: UUID) -> tuple[str, UUID] | None:
        alike = [
            (one, one_id)
            for one, one_id in self.taken
            if (one.source, one.external_id) == (record.source, record.external_id)
        ]
        if not alike:
            status, of = "new", new_id
        else:
            of = alike[0][1]
            same = [one for one, _ in alike if one.revision == record.revision]
            if same and same[0].content() != record.content():
                return None
            if same:
                status = "duplicate"
            else:
                status = "revision" if record.revision > max(one.revision for one, _ in alike) else "stale"
        self.taken.append((record, of))
        return status, of


RECORDS = st.lists(
    st.builds(
        FeedbackRecord.model_validate,
        st.fixed_dictionaries(
            {
                "source": st.sampled_from("ab"),
                "external_id": st.sampled_from("12"),
                "revision": st.integers(1, 4),
                "scores": st.sampled_from([{"nps": 3}, {"nps": 3.0, "ces": None}, {"nps": 4}]),
            }
        ),
    ),
    max_size=8,
)


@settings(deadline=None)
@given(st.lists(RECORDS, max_size=6))
def test_agrees_with_the_naive_model(submissions):
    naive, known = Naive([]), {}
    for records in submissions:
        fresh = [uuid4() for _ in records]
        trial = Naive(list(naive.taken))
        expected = [trial.take(record, new_id) for record, new_id in zip(records, fresh, strict=True)]
        before = dict(known)
        result = settle([(record, digest_of(record.canonical())) for record in records], known, fresh)
        assert known == before
        if None in expected:
            assert isinstance(result, list)
            assert result[0].index == expected.index(None)
            continue
        assert isinstance(result, tuple)
        settled, known = result
        assert [(one.status, one.id) for one in settled] == expected
        naive = trial


@settings(deadline=None)
@given(RECORDS)
def test_the_same_list_again_is_all_duplicates(records):
    first = settle([(record, digest_of(record.canonical())) for record in records], {}, [uuid4() for _ in records])
    if isinstance(first, list):
        return
    settled, known = first
    again = settle([(record, digest_of(record.canonical())) for record in records], known, [uuid4() for _ in records])
    assert isinstance(again, tuple)
    assert again[0] == [Settled(one.record, one.digest, one.id, "duplicate") for one in settled]
