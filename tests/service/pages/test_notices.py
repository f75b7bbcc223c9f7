"""Notices and one's own settings: what one was told, what waits and why; hours, absence, alerts."""

from datetime import timedelta
from itertools import count

import pytest
from seen import seen

from service.store.tables import Notice, now

numbers = count(1)


@pytest.fixture
def told(site):
    """Tell somebody something, or let it wait."""

    def tell(person, words, *, waits=timedelta(0), kind="assigned", harm=0.0):
        moment = now()
        row = Notice(
            person=person,
            kind=kind,
            words=words,
            once_key=f"n-{next(numbers)}",
            harm=harm,
            created_at=moment,
            due_at=moment + waits,
            told_at=None if waits else moment,
        )
        with site.database.session() as session:
            session.add(row)
            session.commit()
            return row.id

    return tell


def settings(site, role="supervisor", **fields):
    return site.form(
        site.visitor(role),
        "/settings",
        "/settings",
        **{name.replace("__", "-"): value for name, value in fields.items()},
    )


def test_what_was_told_is_counted_on_every_page_until_it_is_seen(site, told):
    pia = site.visitor("product")
    one, _ = told("pia", "Look at this"), told("pia", "And at that", kind="escalated")
    assert "Notices 2 new" in seen(pia.get("/backlog"))
    assert site.form(pia, "/notices/seen", "/notices", one=str(one)).headers["location"] == "/notices?done=seen"
    assert "Notices 1 new" in seen(pia.get("/backlog"))
    page = pia.get("/notices")
    assert seen(page).index("And at that") < seen(page).index("Look at this")
    until = now().isoformat()
    told("pia", "Told meanwhile")
    assert site.form(pia, "/notices/seen", "/notices", until=until).status_code == 303
    assert "Notices 1 new" in seen(pia.get("/notices"))


def test_nobody_marks_what_somebody_else_was_told(site, told):
    one = told("ada", "For ada alone")
    assert site.form(site.visitor("supervisor"), "/notices/seen", "/notices", one=str(one)).status_code == 303
    assert "For ada alone" not in seen(site.visitor("supervisor").get("/notices"))
    assert "1 new" in seen(site.visitor("admin").get("/notices"))
    assert site.form(site.visitor("supervisor"), "/notices/seen", "/notices", one="7").status_code == 422


def test_what_is_beyond_the_budget_waits_dated_the_worst_first(site, told):
    assert settings(site, alerts="2").status_code == 303
    told("ana", "A small matter", waits=timedelta(days=1), harm=1)
    told("ana", "A grave matter", waits=timedelta(hours=23), harm=5)
    page = seen(site.visitor("supervisor").get("/notices"))
    assert "at most 2 alerts of new work a day" in page
    assert page.index("A grave matter beyond your 2 alerts a day; the worst come first") < page.index("A small matter")
    settings(site)


def test_settings_are_kept_and_shown_as_they_were_typed(site):
    typed = {
        "zone": "Europe/Warsaw",
        "hours__mon": "9:00 - 12:30, 13:00-17:00",
        "substitute": "ada",
        "absent_from": "2035-01-02T09:30",
        "absent_until": "2035-01-09T09:30",
        "digest": "08:00",
        "alerts": "12",
    }
    assert settings(site, **typed).headers["location"] == "/settings?done=saved"
    page = site.visitor("supervisor").get("/settings").text
    for value in ("Europe/Warsaw", "09:00-12:30, 13:00-17:00", "ada", "2035-01-02T09:30", "08:00", "12"):
        assert f'value="{value}"' in page
    assert settings(site).status_code == 303
    assert "Europe/Warsaw" not in site.visitor("supervisor").get("/settings").text.replace(
        '<option value="Europe/Warsaw">', ""
    ).replace("Europe/Warsaw, for example", "")


def test_each_mistake_stands_beside_its_field_and_nothing_is_changed(site):
    page = settings(
        site,
        zone="Europe/Warsw",
        hours__tue="17:00-09:00",
        hours__wed="all day",
        absent_from="soon",
        substitute="nobody-here",
        digest="8 o'clock",
        alerts="many",
    )
    assert page.status_code == 422
    told = seen(page)
    for wrong in (
        "There is no time zone Europe/Warsw; did you mean Europe/Warsaw?",
        "These hours end before they begin",
        "Hours are written as 09:00-12:30.",
        "Give a day and a time, or leave it empty.",
        "Nobody is called nobody-here",
        "A time of day is written as 09:00.",
        "A whole number from 1 to 1,000",
    ):
        assert wrong in told, wrong
    assert page.text.count('aria-invalid="true"') == 7
    assert 'value="Europe/Warsw"' in page.text
    assert 'value="Europe/Warsw"' not in site.visitor("supervisor").get("/settings").text
