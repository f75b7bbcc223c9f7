"""LOOKS: every page there is, whose it is, and where it is found on a site that holds the demo's feedback."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sites import Site
from sqlalchemy import text

Address = Callable[[Site], str]


@dataclass(frozen=True, slots=True)
class Look:
    """A page as somebody sees it. `route` is the path that the application knows it by; None: nobody has it."""

    name: str
    role: str | None
    address: Address
    route: str | None
    status: int = 200


def at(path: str) -> Address:
    """The same address on every site."""
    return lambda _site: path


def found(path: str, query: str) -> Address:
    """An address with what the query finds in its `{}`."""

    def address(site: Site) -> str:
        with site.database.session() as session:
            return path.format(session.execute(text(query)).scalar_one())

    return address


_TELLING = "SELECT feedback_id FROM work_item_evidence GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1"
_ITEM = "SELECT id FROM work_item WHERE kind = '{}' AND status = 'open' ORDER BY owner NULLS LAST, id LIMIT 1"
_IMPORT = "SELECT id FROM import WHERE state = '{}'"
_BACKTEST = "SELECT id FROM backtest ORDER BY created_at LIMIT 1"
_DISPUTE = "SELECT id FROM label_card WHERE state = 'disputed' LIMIT 1"
_SET_ASIDE = "SELECT id FROM feedback WHERE stage = 'quarantined' LIMIT 1"
_SCORES_ONLY = "SELECT feedback_id FROM feedback_revision WHERE coalesce(body ->> 'verbatims', '[]') = '[]' LIMIT 1"

LOOKS: Sequence[Look] = (
    Look("sign-in", None, at("/sign-in"), "/sign-in"),
    Look("not-open-to-you", "product", at("/health"), "/health", 403),
    Look("nothing-here", "supervisor", at("/nowhere"), None, 404),
    Look("inbox", "supervisor", at("/inbox"), "/inbox"),
    Look("inbox-filtered", "supervisor", at("/inbox?owner=ana&kind=ticket"), "/inbox"),
    Look("inbox-empty", "supervisor", at("/inbox?owner=nobody"), "/inbox"),
    *(
        Look(kind.replace("_", "-"), "supervisor", found("/work-items/{}", _ITEM.format(kind)), "/work-items/{item_id}")
        for kind in ("follow_up", "ticket", "quality_case", "review")
    ),
    Look("story", "supervisor", found("/feedback/{}", _TELLING), "/feedback/{feedback_id}"),
    Look("story-scores-only", "auditor", found("/feedback/{}", _SCORES_ONLY), "/feedback/{feedback_id}"),
    Look("story-set-aside", "admin", found("/feedback/{}", _SET_ASIDE), "/feedback/{feedback_id}"),
    Look("backlog", "product", at("/backlog"), "/backlog"),
    Look("backlog-item", "product", found("/backlog/{}", _ITEM.format("backlog_item")), "/backlog/{item_id}"),
    Look("search", "supervisor", at("/search?q=late"), "/search"),
    Look("search-empty", "supervisor", at("/search?q=zzzz"), "/search"),
    Look("service-levels", "supervisor", at("/service-levels"), "/service-levels"),
    Look(
        "service-level-items",
        "supervisor",
        at("/service-levels/items?promise=resolve&state=running"),
        "/service-levels/items",
    ),
    Look("bypasses", "supervisor", at("/bypasses"), "/bypasses"),
    Look("corrections", "supervisor", at("/corrections"), "/corrections"),
    Look("reports", "supervisor", at("/reports"), "/reports"),
    Look("reports-admin", "admin", at("/reports"), "/reports"),
    Look("report-label", "admin", at("/reports/sentiment/negative"), "/reports/{axis}/{label:path}"),
    Look("policies", "supervisor", at("/policies"), "/policies"),
    Look("policies-admin", "admin", at("/policies"), "/policies"),
    Look("policy-editor", "admin", at("/policies/new"), "/policies/new"),
    Look("policy-edit", "admin", at("/policies/1/edit"), "/policies/{version}/edit"),
    Look("policy", "supervisor", at("/policies/1"), "/policies/{version}"),
    Look("policy-plain", "supervisor", at("/policies/1/plain"), "/policies/{version}/plain"),
    Look("policy-compare", "auditor", at("/policies/1/compare"), "/policies/{version}/compare"),
    Look("policy-activate", "admin", at("/policies/1/activate"), "/policies/{version}/activate"),
    Look("policy-backtest", "admin", at("/policies/1/backtest"), "/policies/{version}/backtest"),
    Look("backtest", "admin", found("/backtests/{}", _BACKTEST), "/backtests/{backtest_id}"),
    Look("backtest-cases", "admin", found("/backtests/{}/cases", _BACKTEST), "/backtests/{backtest_id}/cases"),
    Look("notices", "supervisor", at("/notices"), "/notices"),
    Look("settings", "supervisor", at("/settings"), "/settings"),
    Look("label", "reviewer", at("/review"), "/review"),
    Look("review-training-only", "admin", at("/review"), "/review"),
    Look("review-auditor", "auditor", at("/review"), "/review"),
    Look("disputes", "reviewer", at("/review/disputes"), "/review/disputes"),
    Look("dispute", "reviewer", found("/review/disputes/{}", _DISPUTE), "/review/disputes/{card_id}"),
    Look("flags", "admin", at("/review/flags"), "/review/flags"),
    Look("guidelines", "reviewer", at("/review/guidelines"), "/review/guidelines"),
    Look("guidelines-admin", "admin", at("/review/guidelines"), "/review/guidelines"),
    Look("imports", "source", at("/imports"), "/imports"),
    Look("import-preview", "source", found("/imports/{}", _IMPORT.format("waiting")), "/imports/{import_id}"),
    Look("import-done", "source", found("/imports/{}", _IMPORT.format("done")), "/imports/{import_id}"),
    Look("sources", "admin", at("/sources"), "/sources"),
    Look("destinations", "admin", at("/destinations"), "/destinations"),
    Look("destination", "admin", at("/destinations/helpdesk"), "/destinations/{name}"),
    Look("destination-delete", "admin", at("/destinations/helpdesk/delete"), "/destinations/{name}/delete"),
    Look("health", "admin", at("/health"), "/health"),
)
