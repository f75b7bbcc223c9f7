"""The pages of policies: what decides, said plainly; writing one, mistakes under their lines; letting it decide."""

import re
from html import unescape

import pytest
from seen import seen

GOOD = """name: shop
rules:
  - name: detractor
    when: scores.nps <= 4
    then: {create: follow_up, assign: floor}
groups:
  floor: {people: [ana]}
"""
BAD = GOOD.replace("scores.nps", "scores.nsp").replace("assign: floor", "assign: flor")


def publish(site, document=GOOD, comment="the shop's own rules"):
    """Publish as an admin does; the version."""
    sent = site.form(site.visitor("admin"), "/policies", "/settings", document=document, comment=comment)
    assert sent.status_code == 303, seen(sent)
    return int(re.search(r"/policies/(\d+)\?done=published", sent.headers["location"])[1])


def activate(site, version, **fields):
    return site.form(site.visitor("admin"), f"/policies/{version}/activate", "/settings", **fields)


def test_what_decides_is_said_in_plain_words_and_who_activated_it_why(site):
    version = publish(site)
    assert (
        activate(site, version, how="everyone", comment="it is time").headers["location"] == "/policies?done=activated"
    )
    told = seen(site.visitor("supervisor").get("/policies"))
    assert f"Deciding now: version {version}, shop" in told
    assert "When NPS is 4 or less: a follow-up, for floor." in told
    assert "Activated by ada" in told
    assert "it is time" in told
    assert "Write a new version" not in told
    assert "Write a new version" in seen(site.visitor("admin").get("/policies?done=activated"))


def test_a_version_is_read_as_written_and_in_plain_words(site):
    version = publish(site)
    admin = site.visitor("admin")
    assert "when: scores.nps <= 4" in seen(admin.get(f"/policies/{version}"))
    assert "When NPS is 4 or less" in seen(admin.get(f"/policies/{version}/plain"))
    assert admin.get("/policies/77777/plain").status_code == 404


def test_two_versions_are_compared_in_sentences_and_side_by_side(site):
    one, other = publish(site), publish(site, GOOD.replace("<= 4", "<= 6"))
    page = site.visitor("auditor").get(f"/policies/{other}/compare?against={one}")
    assert "The rule detractor now fires at NPS 6 or less instead of 4 or less." in seen(page)
    assert "<del><code><bdi>scores.nps &lt;= 4</bdi></code></del>" in page.text
    assert "<ins><code><bdi>scores.nps &lt;= 6</bdi></code></ins>" in page.text
    assert "Both say the same." in seen(site.visitor("auditor").get(f"/policies/{one}/compare?against={publish(site)}"))


def under(page, number):
    """What stands under a line of the document."""
    found = re.search(rf'<li id="L{number}".*?</li>', page.text, re.DOTALL)
    return seen(found[0]) if found else ""


@pytest.mark.parametrize("path", ["/policies/check", "/policies"])
def test_each_mistake_stands_under_its_line_with_what_was_meant_and_nothing_typed_is_lost(site, path):
    page = site.form(
        site.visitor("admin"), path, "/settings", document=BAD.replace("\n", "\r\n"), comment="what I changed"
    )
    assert page.status_code == (200 if path.endswith("check") else 422)
    assert re.search(r"when: scores\.nsp <= 4 .*mistake.*Did you mean scores\.nps\?", under(page, 4))
    assert re.search(r"assign: flor.*Did you mean floor\?", under(page, 5))
    assert "2 mistakes" in seen(page)
    assert unescape(re.search(r"<textarea id=\"f-document\".*?>\n(.*?)</textarea>", page.text, re.DOTALL)[1]) == BAD
    assert "what I changed" in page.text
    assert 'data-line="4" data-column="11"' in page.text


def test_what_is_to_think_about_is_told_and_does_not_stop_anybody(site):
    odd = GOOD.replace("people: [ana]", "people: [nobody-here]")
    page = site.form(site.visitor("admin"), "/policies/check", "/settings", document=odd)
    assert re.search("to think about .*nobody-here has no account", under(page, 7), re.IGNORECASE)
    assert "no mistakes" in seen(page)
    assert "When NPS is 4 or less" in seen(page)
    assert publish(site, odd)


TRIED = GOOD.replace(
    "groups:",
    """  - {name: shouts, when: 'matches(text, "(?i)REFUND")', then: {create: ticket}}
  - {name: never-seen, when: scores.ces >= 7, then: {create: ticket}}
groups:""",
)


def test_each_rule_is_tried_on_the_newest_answers_before_anything_is_published(site):
    record = {"source": "shop", "external_id": "tried", "scores": {"nps": 2}, "verbatims": [{"text": "A refund!"}]}
    (angry,) = site.push([record])
    site.drain()
    page = site.form(site.visitor("admin"), "/policies/try", "/settings", document=TRIED)
    lines = dict(re.findall(r"<li><span></span>\s*<div>\s*<p>.*?<bdi>(.*?)</bdi>(.*?)</li>", page.text, re.DOTALL))
    assert set(lines) == {"detractor", "shouts", "never-seen"}
    assert f'href="/feedback/{angry}"' in lines["shouts"]
    assert re.search(r"\d answers? ", seen(lines["detractor"]))
    assert "no answer" in seen(lines["never-seen"])
    one = site.form(site.visitor("admin"), "/policies/try", "/settings", document=TRIED, rule="shouts")
    assert seen(one).count("Not looked at") == 2
    assert "Not looked at" not in seen(site.form(site.visitor("admin"), "/policies/try", "/settings", document=BAD))


def test_nobody_publishes_without_saying_why(site):
    page = site.form(site.visitor("admin"), "/policies", "/settings", document=GOOD, comment="  ")
    assert page.status_code == 422
    assert "Say in up to 2,000 characters what this version changes and why." in seen(page)


def test_the_editor_begins_with_what_decides_or_with_the_version_asked_for(site):
    version = publish(site, GOOD.replace("name: shop", "name: begun-with"))
    assert "name: begun-with" in site.visitor("admin").get(f"/policies/{version}/edit").text
    assert "Begun with version" in seen(site.visitor("admin").get("/policies/new"))
    assert site.visitor("supervisor").get("/policies/new").status_code == 403


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"how": "everyone", "comment": ""}, "Say in up to 2,000 characters why."),
        ({"how": "part", "comment": "x"}, "Say which part"),
        ({"how": "part", "percent": "500", "comment": "x"}, "Give a number from 0.1 to 100"),
        ({"how": "shadow", "percent": "half", "comment": "x"}, "Give a number from 0.1 to 100"),
        ({"how": "perhaps", "comment": "x"}, "Choose whom it decides for."),
    ],
)
def test_an_activation_that_cannot_be_says_why_beside_the_field(site, fields, wrong):
    page = activate(site, publish(site), **fields)
    assert page.status_code == 422
    assert wrong in seen(page)


def test_a_part_of_the_customers_comes_first_and_can_be_ended(site):
    activate(site, publish(site), how="everyone", comment="for everyone")
    version = publish(site, GOOD.replace("<= 4", "<= 3"))
    sent = activate(site, version, how="part", percent="20", region="emea, apac", comment="a fifth first")
    assert sent.headers["location"] == "/policies?done=staged"
    admin = site.visitor("admin")
    assert f"Version {version}, shop decides for 20 % of customers, region emea or apac" in seen(admin.get("/policies"))
    assert site.form(admin, f"/policies/{version}/end", "/settings").status_code == 303
    assert "20 % of customers" not in seen(admin.get("/policies"))
    assert site.form(admin, f"/policies/{version}/end", "/settings").status_code == 409


def test_one_form_rolls_back(site):
    before, after = publish(site), publish(site, GOOD.replace("<= 4", "<= 2"))
    for version in (before, after):
        activate(site, version, how="everyone", comment="x")
    admin = site.visitor("admin")
    empty = site.form(admin, "/policies/roll-back", "/settings")
    assert (empty.status_code, "Say in up to" in seen(empty)) == (422, True)
    assert site.form(admin, "/policies/roll-back", "/settings", comment="too many calls").status_code == 303
    assert f"Deciding now: version {before}" in seen(admin.get("/policies"))


def test_examples_that_do_not_hold_keep_a_policy_from_deciding(site):
    broken = GOOD + "examples:\n  - {name: a nine, record: {scores: {nps: 9}}, creates: [follow_up]}\n"
    version = publish(site, broken)
    page = activate(site, version, how="everyone", comment="x")
    assert page.status_code == 409
    assert "Its examples have to hold first" in seen(page)
