"""heed and cel-expr-python asked the same of the same records: the one place where their answers are compared."""

from expressions import NAMES, records, spell, trees_of_the_peer, view_of
from hypothesis import strategies as st

from service.bench.cel import Peer
from service.route.conditions import parse
from service.route.program import Program

ASKED = st.lists(trees_of_the_peer, min_size=10, max_size=10)
OF = st.lists(st.tuples(records, st.booleans()), min_size=10, max_size=10)


def disagreements(written, of):
    """Ask both every condition of every record; give what they say differently, and how many answers were compared."""
    texts = [spell(tree) for tree in written]
    conditions = [parse(text, NAMES) for text in texts]
    ours, peer, found = Program(conditions), Peer(conditions), []
    for record, withheld in of:
        view = view_of(record, withheld=withheld)
        data = peer.ready(view.case, view.thresholds)
        theirs = peer.truths(data)
        found.extend(
            (text, record, withheld, said, expected)
            for text, (said, _), expected in zip(texts, ours.ask(view), theirs, strict=True)
            if said is not expected
        )
        if ours.fires(view.case, view.thresholds) != peer.fires(data):
            found.append((texts, record, withheld))
    return found, len(texts) * len(of)
