"""A policy in plain language: conditions as people say them, and every part of the document."""

import pytest

from service.route.conditions import parse
from service.route.english import describe
from service.route.names import Names
from service.route.phrases import condition
from service.route.policy_document import check

TOPICS = ["delivery", "safety and legal"]
FIELDS = {"context.site": "text", "customer.attributes.is_vip": "boolean", "context.delta": "number"}
NAMES = Names(FIELDS, ["negative"], TOPICS)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("scores.nps <= 6 or scores.csat <= 2", "NPS is 6 or less, or satisfaction is 2 or less"),
        ("6 >= scores.nps", "NPS is 6 or less"),
        ("scores.nps == 0", "NPS is 0"),
        ("customer.account_value > 100000", "the account's value is more than 100,000"),
        ('customer.tier in ["gold", "platinum"]', "the customer's tier is gold or platinum"),
        ('customer.tier not in ["gold", "platinum"]', "the customer's tier is none of gold and platinum"),
        ('not customer.tier in ["gold"]', "the customer's tier is not gold"),
        ('customer.region != "emea"', "the customer's region is not emea"),
        ("known(context.site)", "site is known"),
        ("not known(context.site)", "site is not known"),
        ("customer.attributes.is_vip", "is vip is yes"),
        ("not customer.attributes.is_vip", "is vip is no"),
        ("type.suggestion >= 0.6", "the text makes a suggestion (at least 60 % sure)"),
        ("not urgency.high >= 0.5", "the chance that the text is urgent is less than 50 %"),
        ('topic("safety and legal") >= 0.625', "the text is about safety and legal (at least 62.5 % sure)"),
        (
            'sentiment.negative >= threshold("negative")',
            "the text sounds negative (sure enough for the threshold negative)",
        ),
        (
            "sentiment.negative > sentiment.positive",
            "the chance that the text sounds negative is more than the chance that the text sounds positive",
        ),
        (
            "scores.nps <= 6 and (scores.csat <= 2 or scores.stars == 1)",
            "NPS is 6 or less, and (satisfaction is 2 or less, or the number of stars is 1)",
        ),
        ("not (scores.nps <= 6 and scores.csat <= 2)", "NPS is more than 6, or satisfaction is more than 2"),
        ("not not scores.nps < 3", "NPS is less than 3"),
        ('matches(text, "refund")', 'the text contains "refund"'),
        ('matches(text, "(?i)a b|c")', 'the text contains "a b" or "c", in capitals or not'),
        ('matches(source, "^ap+")', "the source contains what the pattern ^ap+ stands for"),
        ("scores.nps <= 0.125", "NPS is 0.125 or less"),
        ("sentiment.negative >= 0.8125", "the text sounds negative (at least 81.25 % sure)"),
        ("sentiment.negative >= 0.9999", "the text sounds negative (at least 99.99 % sure)"),
        ("scores.nps <= scores.csat", "NPS is at most satisfaction"),
        ('sentiment.negative > threshold("negative")', "the text sounds negative (surer than the threshold negative)"),
        ('not matches(text, "refund")', 'the text does not contain "refund"'),
        (
            'count_recent("follow_up", days=30) >= 2',
            "the number of the customer's follow-ups in the last 30 days is 2 or more",
        ),
        ('days_since_last("ticket") > 7', "the number of days since the customer's last ticket is more than 7"),
        ("known(sentiment.negative)", "whether the text sounds negative is known"),
    ],
)
def test_a_condition_as_people_say_it(written, said):
    assert condition(parse(written, NAMES)) == said


FULL = """\
name: full
review: triage
fallback: triage
fields: {context.site: text}
thresholds:
  negative: {axis: sentiment, label: negative, promise: {precision: 0.9, confidence: 0.95}, uncertified: 0.8}
  late: {axis: topic, label: delivery}
rules:
  - name: low
    when: scores.nps <= 6
    then: {create: follow_up, mandatory: true, sla: soon, assign: regional, priority: high, deliver: [desk, crm]}
    stop: true
  - name: angry
    when: sentiment.negative >= threshold("negative")
    then: {create: ticket, tags: topics, key: [context.site], join: 14d}
  - name: later
    when: topic("delivery") >= threshold("late")
    then: {create: ticket, tags: [parcel], join: 1d}
slas:
  soon: {acknowledge: 4h, resolve: 2d}
groups:
  regional: {by: customer.region, emea: {people: [ana, jan]}, default: triage}
  triage: {people: [sam]}
examples:
  - {name: a low score, record: {scores: {nps: 3}}, creates: [follow_up]}
"""


def test_every_part_of_a_policy_is_said():
    said = {
        section.key: {entry.name: " ".join(entry.sentences) for entry in section.entries}
        for section in describe(check(FULL, TOPICS).policy)
    }
    assert said == {
        "rules": {
            "low": "When NPS is 6 or less: a follow-up that must be done, of high priority, for regional, sent to desk "
            "and crm. It is due as the service level soon says. No later rule is asked then.",
            "angry": "When the text sounds negative (sure enough for the threshold negative): a ticket. It carries the "
            "topics of the text as tags. Where there is an open one with the same site that is at most 14 days old, "
            "the answer joins that instead.",
            "later": "When the text is about delivery (sure enough for the threshold late): a ticket. It carries the "
            "tag parcel. Where there is an open one of the same customer about the same topic that is at most 1 day "
            "old, the answer joins that instead. Where angry has made a ticket already, it makes none.",
        },
        "slas": {
            "soon": "Acknowledged within 4 hours, done within 2 days. The clock runs day and night, on holidays too."
        },
        "groups": {
            "regional": "Where the customer's region is emea: ana and jan. Anybody else, and where the customer's "
            "region is not known: the group triage.",
            "triage": "sam.",
            "review": "What the reading of a text leaves open goes to triage, where a person decides.",
            "fallback": "What nobody else can take goes to triage.",
        },
        "thresholds": {
            "negative": "Of the texts taken to show that the text sounds negative, 90 % must be rightly taken (95 % "
            "confidence). Until a certificate shows from where on that holds, it counts from 80 % on, and the decision "
            "says `uncertified`.",
            "late": "It says from where on the text is about delivery. Nothing is promised about it, so no certificate "
            "can stand behind it. Without a certificate a person decides.",
        },
        "examples": {"a low score": "An answer with NPS 3 must make a follow-up."},
    }


CALENDARS = """\
name: hours
rules:
  - {name: low, when: scores.nps <= 6, then: {create: follow_up, sla: soon}}
slas:
  soon:
    calendar: office
    acknowledge: 4h
    resolve: 2d
    tiers: {gold: {resolve: 1d}}
    escalate: [{after: 4h, to: owner.manager}, {after: 1d, to: bosses, any_hour: true, stop: resolved}]
calendars:
  office: {zone: Europe/Warsaw, hours: {mon-thu: ["09:00-12:30", "13:00-17:00"], fri: ["09:00-14:00"]}, holidays: PL}
groups:
  bosses: {people: [mia]}
"""


LEVEL_2 = (
    "Level 2: 1 working day after a target was missed the group bosses is told, also outside their own hours, "
    "unless it is done."
)


def test_business_time_and_escalation_are_said():
    said = {
        entry.name: entry.sentences for section in describe(check(CALENDARS, []).policy) for entry in section.entries
    }
    assert said["soon"] == (
        "Acknowledged within 4 working hours, done within 2 working days.",
        "For customers of the tier gold: done within 1 working day.",
        "The clock runs in the working hours of the calendar office.",
        "Level 1: 4 working hours after a target was missed the owner's manager is told, unless it was met after all.",
        LEVEL_2,
    )
    assert said["office"] == (
        "Monday to Thursday 09:00-12:30 and 13:00-17:00; Friday 09:00-14:00, in the time zone Europe/Warsaw.",
        "The public holidays of PL are free.",
    )
