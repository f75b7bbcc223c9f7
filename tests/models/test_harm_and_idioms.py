import pytest

from models.keywords import KeywordClassifier
from models.prediction import Reading, Verbatim
from models.taxonomies.taxonomy import default_taxonomy


def read(text: str) -> Reading:
    return KeywordClassifier().read([Verbatim(text)], default_taxonomy())[0]


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        (
            "My niece has a sesame allergy and the salad was full of sesame, but the sign said sesame free.",
            "safety and legal",
        ),
        ("The jar shattered in her hand.", "safety and legal"),
        ("The GP did not examine me and overlooked a blood clot.", "safety and legal"),
        ("We sat in casualty for five hours with a toddler.", "waiting time"),
        ("I feel like ending my life over these letters.", "safety and legal"),
        ("Other tenants could read my messages.", "safety and legal"),
    ],
)
def test_harm_told_as_a_fact_is_grave_urgent_and_has_its_topic(text, topic):
    reading = read(text)
    assert reading.sentiment["negative"] >= 0.8
    assert reading.types["complaint"] >= 0.6
    assert reading.urgency["high"] >= 0.6
    assert reading.topics[topic] >= 0.5


@pytest.mark.parametrize(
    "text",
    [
        "Flavours that burst in the mouth.",
        "The scan found no tumour and the team explained it well.",
        "The menu says dairy free and the soup was delicious.",
        "Each member can access their messages easily.",
        "My aunt was in hospital for a week and everyone was kind.",
    ],
)
def test_words_of_harm_alone_raise_no_alarm(text):
    reading = read(text)
    assert reading.sentiment["negative"] < 0.4
    assert reading.urgency["high"] < 0.4


@pytest.mark.parametrize(
    ("text", "topic", "meant"),
    [
        ("They sent my father home with a fractured elbow.", "product quality", False),
        ("Our toddler had a broken arm.", "product quality", False),
        ("The stool came with a broken leg.", "product quality", True),
        ("My invoices were sent to another tenant.", "billing", False),
        ("My invoices were wrong.", "billing", True),
        ("The train ran on time.", "waiting time", False),
        ("The appointment was on time.", "waiting time", True),
    ],
)
def test_a_topic_is_not_taken_from_words_that_mean_something_else(text, topic, meant):
    assert (read(text).topics[topic] >= 0.5) is meant


@pytest.mark.parametrize(
    "text",
    [
        "The conductor swore at my elderly aunt.",
        "Your porter mocked our accents.",
        "The clerk rolled his eyes and walked off.",
        "Eleven years a member, and that is the way you reward us.",
        "You lot are a bunch of clowns.",
    ],
)
def test_disrespect_is_negative(text):
    reading = read(text)
    assert reading.sentiment["negative"] >= 0.8
    assert reading.types["complaint"] >= 0.6


@pytest.mark.parametrize(
    "text",
    [
        "I wouldn't hesitate to book again.",
        "My only regret is not having joined earlier.",
        "The only downside is that we didn't discover you sooner.",
        "Itching to test the beta.",
        "We feared the worst but it all went smoothly.",
        "I was nervous about the scan, but the nurse settled me down.",
        "They saved our holiday.",
    ],
)
def test_an_idiom_of_relief_or_praise_is_positive(text):
    reading = read(text)
    assert reading.sentiment["positive"] > 0.6
    assert reading.types["complaint"] < 0.5


@pytest.mark.parametrize(
    "text",
    [
        "The only downside is the queue.",
        "I hesitate to recommend this.",
        "I was nervous about the move but nobody answered my calls.",
    ],
)
def test_what_only_looks_like_such_an_idiom_is_not_praised(text):
    assert read(text).sentiment["negative"] > 0.6


def test_irony_goes_on_in_a_short_sentence_and_no_further():
    complaint = "Oh great, the ticket machine is broken again."
    assert read(f"{complaint} Top marks!").sentiment["negative"] >= 0.8
    short, turning = "The guard was kind.", "The guard was kind though."
    assert read(f"{complaint} {turning}").mixed
    assert not read(f"{complaint} {short}").mixed


def test_a_mishap_outweighs_the_pleasantries_before_it():
    reading = read("Coach punctual, driver cheerful, but my suitcase never turned up.")
    assert reading.mixed or reading.sentiment["negative"] > 0.5
    assert max(reading.sentiment, key=reading.sentiment.get) == "negative"
