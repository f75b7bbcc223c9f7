import pytest

from models.characters import normalise
from models.failures import failures
from models.keywords import KeywordClassifier
from models.patterns import Patterns
from models.phrases import Cue
from models.prediction import Reading, Verbatim
from models.taxonomies.taxonomy import default_taxonomy
from models.text import tokenise


def read(text: str) -> Reading:
    return KeywordClassifier().read([Verbatim(text)], default_taxonomy())[0]


def found(pattern: str, text: str) -> list[str]:
    patterns = Patterns({"shield": ["but"], "thing": ["box", "tall lamp"]}, [(Cue("failure", "f", -1.0), [pattern])])
    tokens = tokenise(normalise(text))
    return [text[tokens[hit.start].start : tokens[hit.end - 1].end] for hit in patterns.find(tokens)]


@pytest.mark.parametrize(
    ("pattern", "text", "hits"),
    [
        ("box fell", "The box fell. Boxes fell.", ["box fell", "Boxes fell"]),
        ("{thing} fell", "A tall lamp fell on a box", ["tall lamp fell"]),
        ("{thing} ~2 fell", "box that just fell, box that only very slowly fell", ["box that just fell"]),
        ("box ~3 fell", "The box. It fell. The box stayed but fell", []),
        ("box (really)? fell", "box really fell and box fell", ["box really fell", "box fell"]),
        ("box (fell|came off)", "box came off", ["box came off"]),
        ("^ box", "box and box. Box", ["box", "Box"]),
        ("<few> box", "3 boxes, 30 boxes", ["3 boxes"]),
        ("<many> box", "3 boxes, 30 boxes", ["30 boxes"]),
        ("<money> box", "a £3.50 box, a 3.50 box", ["£3.50 box"]),
        ("<span> box", "a 45min box", ["45min box"]),
        ("not open", "It won't open", ["won't open"]),
    ],
)
def test_the_grammar_of_patterns(pattern, text, hits):
    assert found(pattern, text) == hits


@pytest.mark.parametrize(
    "text",
    [
        "The app crashes every time I open it.",
        "My tablet screen freezes whenever I scroll through the catalogue.",
        "I can't sign in since Monday.",
        "You billed me again after I had closed the contract.",
        "I was charged for a locker I never used.",
        "No refund after five weeks.",
        "No one wrote back.",
        "I have emailed six times.",
        "The agent hung up on me.",
        "They kept us standing on the platform for three hours.",
        "My surgery was postponed again, for lack of a bed.",
        "All our recordings were wiped, my results were deleted too.",
        "The rent went up by 20 percent overnight.",
        "The strap snapped on the first day.",
        "I received the letter of another patient.",
        "They sent me away without treatment.",
        "It asks for my code every five minutes.",
        "The payment never goes through.",
        "My lawyer will be in touch.",
        "Gave me someone else's test results.",
        "I'm still without hot water.",
        "aplication keeps crashin, cant even log in",
        "recieved it brocken, no reponse to my emails",
    ],
)
def test_a_failure_told_as_a_fact_is_negative_and_a_complaint(text):
    reading = read(text)
    assert reading.sentiment["negative"] >= 0.8
    assert reading.types["complaint"] >= 0.6


@pytest.mark.parametrize(
    "text",
    [
        "Never crashed once in two years.",
        "In and out in ten minutes, no queue.",
        "My card was stuck in the machine before, that is fixed now, thank you.",
        "Zero delays, zero lost bags.",
        "Set up in twenty minutes.",
        "We stayed for hours.",
        "Nobody could have been kinder.",
        "What happens if my flight gets cancelled?",
        "Add a button to freeze the card.",
        "I have been a customer for six years.",
        "Send a reminder the day before.",
        "I broke my wrist skiing.",
    ],
)
def test_a_failure_denied_supposed_or_over_is_none(text):
    reading = read(text)
    assert reading.sentiment["negative"] < 0.6
    assert reading.types["complaint"] < 0.5


def test_two_weak_signs_add_up():
    one, other = "The shop on our street is closed again.", "I asked the desk twice."
    assert read(f"{one} {other}").sentiment["negative"] > read(one).sentiment["negative"]


@pytest.mark.parametrize(
    "text",
    [
        "Great, another outage.",
        "Love how the app logs me out at the till.",
        "Congratulations on losing my luggage for the second time.",
        "Bravo. Three hours on hold and then the line went dead.",
        "Brilliant idea to close the only counter at lunch. The queue took fifty minutes.",
        "So the lift is broken again 👏",
        'The "express" lane took fifty minutes.',
    ],
)
def test_praise_beside_a_failure_is_irony(text):
    sentiment = read(text).sentiment
    assert sentiment["negative"] > 0.6
    assert sentiment["positive"] < 0.3


@pytest.mark.parametrize(
    "text",
    [
        "Lovely how the carers knew her by name.",
        "Love how quickly it loads.",
        "Bravo to the night shift 👏👏",
        "Congratulations on the new branch, it is beautiful.",
        "Thanks for finding my lost bag so quickly.",
        "Wonderful, everything arrived early.",
    ],
)
def test_plain_praise_is_never_turned(text):
    assert read(text).sentiment["positive"] > 0.6


@pytest.mark.parametrize(
    "text",
    [
        "I can see another member's balance in my account.",
        "We have hired a solicitor.",
        "They gave my mother the wrong medication.",
        "We can't log in and the deadline is today.",
        "The heater started to smoke.",
        "You sent me another patient's records.",
        "I want my account unlocked today.",
    ],
)
def test_alarms_are_urgent(text):
    assert read(text).urgency["high"] >= 0.6


@pytest.mark.parametrize(
    "text",
    [
        "An ambulance was called immediately and my father is fine now.",
        "They replied immediately.",
        "The police were called last year, all sorted since.",
        "The emergency department was calm.",
        "The fire drill took five minutes.",
        "I was seen immediately.",
    ],
)
def test_a_story_of_an_alarm_is_not_urgent(text):
    assert read(text).urgency["high"] < 0.4


def test_late_goods_are_about_delivery_first():
    topics = read("My sofa was delivered three days late.").topics
    assert max(topics, key=topics.get) == "delivery"


@pytest.mark.parametrize(
    "words", ["cancel five times ", "still refund never ", "phone is now down crashing ", "broken again 👏 "]
)
def test_a_text_of_nothing_but_failures_is_read(words):
    text = words * 800
    spans = read(text).spans
    assert spans
    assert all(0 <= span.start < span.end <= len(text) for span in spans)


def test_the_patterns_are_built_once():
    assert failures() is failures()
