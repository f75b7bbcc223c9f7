import pytest

from models.characters import normalise
from models.keywords import KeywordClassifier, _phrases
from models.lexicon import english
from models.prediction import Reading, Verbatim
from models.taxonomies.taxonomy import Taxonomy, Topic, default_taxonomy
from models.text import tokenise


def read(text: str, question: str | None = None, language: str | None = None) -> Reading:
    return KeywordClassifier().read([Verbatim(text, question, language)], default_taxonomy())[0]


@pytest.mark.parametrize(
    ("text", "label", "at_least"),
    [
        ("Parcel came two weeks late and broken.", "negative", 0.8),
        ("Terrible!", "negative", 0.8),
        ("SO bad!!!", "negative", 0.8),
        ("The agent was rude and the whole call was a waste of time.", "negative", 0.9),
        ("😡😡😡", "negative", 0.9),
        ("The towels were not very clean.", "negative", 0.5),
        ("Should be easy to use.", "neutral", 0.3),
        ("Great service", "positive", 0.8),
        ("Not bad at all, quick delivery.", "positive", 0.8),
        ("Never had any problems with this phone.", "positive", 0.7),
        ("I cannot fault the nurses, they were so kind.", "positive", 0.9),
        ("👍", "positive", 0.7),
        ("Bloody brilliant pizza", "positive", 0.8),
        ("Delivery arrived on Tuesday.", "neutral", 0.5),
    ],
)
def test_sentiment(text, label, at_least):
    sentiment = read(text).sentiment
    assert max(sentiment, key=sentiment.get) == label or at_least < 0.5
    assert sentiment[label] >= at_least


@pytest.mark.parametrize(
    ("weaker", "stronger", "label"),
    [
        ("The room was bad.", "The room was very bad.", "negative"),
        ("The room was slightly dirty.", "The room was dirty.", "negative"),
        ("the room was bad", "the room was BAD", "negative"),
        ("it is bad", "it is baaaaad", "negative"),
        ("It is good.", "It is good!!!", "positive"),
        ("Great food.", "The food was cold but the staff were great.", "negative"),
        ("Good phone, but the battery is bad.", "Good phone. The battery is bad.", "positive"),
        ("Bad phone, but the screen is good.", "The screen is good, but it is a bad phone.", "negative"),
    ],
)
def test_what_stands_around_a_word_changes_its_weight(weaker, stronger, label):
    assert read(weaker).sentiment[label] < read(stronger).sentiment[label]


@pytest.mark.parametrize(
    ("meant", "ironic"),
    [
        ("Thanks for finding my bag.", "Thanks for losing my bag."),
        ("Great job on the new menu.", "Great job ruining the menu."),
        ("Right, the service is premium.", "Yeah right, the service is premium."),
    ],
)
def test_irony_turns_praise_round(meant, ironic):
    assert read(ironic).sentiment["negative"] > 0.5 > read(meant).sentiment["negative"]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Parcel came two weeks late and broken.", "complaint"),
        ("I was charged twice and nobody answers.", "complaint"),
        ("Please add dark mode", "suggestion"),
        ("It would be nice if the app remembered my seat.", "suggestion"),
        ("You should open earlier on Sundays.", "suggestion"),
        ("I wish the app had an offline mode.", "suggestion"),
        ("Allow guests to choose a pillow.", "suggestion"),
        ("Could you add a map?", "suggestion"),
        ("How do I reset my password?", "question"),
        ("Could you tell me when my order ships?", "question"),
        ("Everything was perfect, thank you!", "praise"),
        ("Love the new seats.", "praise"),
    ],
)
def test_types(text, kind):
    assert read(text).types[kind] >= 0.6


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("You should be ashamed of yourselves.", "suggestion"),
        ("They add a fee to every invoice.", "suggestion"),
        ("Are you kidding me? What is the point?", "question"),
        ("Thanks for nothing.", "praise"),
        ("Delivery arrived on Tuesday.", "complaint"),
    ],
)
def test_types_not_meant(text, kind):
    assert read(text).types[kind] < 0.5


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("This is urgent, I need my medication today.", "high"),
        ("Call me back immediately.", "high"),
        ("The loose cable is a safety hazard.", "high"),
        ("The charger caught fire in my kitchen!", "high"),
        ("You will hear from my lawyer.", "high"),
        ("Our whole team cannot work since this morning.", "high"),
        ("I am cancelling my contract today.", "high"),
        ("The soup was a bit cold.", "normal"),
        ("It is not urgent, but the logo is slightly blurry.", "low"),
        ("Wonderful stay, thank you.", "low"),
    ],
)
def test_urgency(text, label):
    assert read(text).urgency[label] >= 0.6


@pytest.mark.parametrize(
    ("text", "topics"),
    [
        ("Parcel came two weeks late and broken.", {"delivery", "product quality"}),
        ("I was charged twice on my credit card.", {"billing"}),
        ("Far too expensive for what you get.", {"price"}),
        ("The app crashes after every update.", {"reliability and bugs"}),
        ("The menu is confusing and hard to navigate.", {"usability"}),
        ("The receptionist was polite.", {"staff and support"}),
        ("I cannot log in with my new phone.", {"account and access"}),
        ("We sat in the waiting room for two hours.", {"waiting time"}),
        ("Nobody told us the gate had changed.", {"information"}),
        ("The kettle gave me an electric shock.", {"safety and legal", "product quality"}),
        ("My luggage did not make the connecting flight.", {"delivery"}),
        ("The surgeon explained everything.", {"staff and support", "information"}),
        ("My insurance claim was refused.", {"billing"}),
        ("No signal and the broadband drops out.", {"reliability and bugs"}),
        ("The mattress was lumpy and the bathroom dirty.", {"product quality"}),
    ],
)
def test_topics_over_several_industries(text, topics):
    found = read(text).topics
    assert topics <= {label for label, probability in found.items() if probability >= 0.5}


def test_a_customers_own_taxonomy_is_read_by_the_same_classifier():
    own = Taxonomy(
        "gym", 3, (Topic("lockers", keywords=("locker", "padlock")), Topic("seats and saunas"), Topic("pool"))
    )
    reading = KeywordClassifier().read([Verbatim("The lockers are rusty but the sauna is hot.")], own)[0]
    assert {name: p >= 0.5 for name, p in reading.topics.items()} == {
        "lockers": True,
        "seats and saunas": True,
        "pool": False,
    }


def test_sentiment_does_not_depend_on_the_taxonomy():
    text = Verbatim("The locker was broken and the staff rude, great pool though.")
    own = Taxonomy("gym", 1, (Topic("great", keywords=("great", "rude", "broken locker")),))
    here, there = (KeywordClassifier().read([text], taxonomy)[0] for taxonomy in (own, default_taxonomy()))
    assert (here.sentiment, here.types, here.urgency) == (there.sentiment, there.types, there.urgency)


def test_different_words_add_up_and_the_same_word_again_does_not():
    once, again, another = (
        read(text).topics["delivery"] for text in ("The parcel.", "The parcel, the parcel.", "The parcel, the courier.")
    )
    assert once == again < another


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        (" \n\t ", "empty"),
        ("...", "empty"),
        ("-", "empty"),
        ("\u200b\u202e", "empty"),
        ("Nothing.", "short"),
        ("n/a", "short"),
        ("None", "short"),
        ("10", "short"),
        ("ok", "short"),
        ("I don't know", "short"),
        ("asdf", "short"),
        ("Le colis est arrivé en retard et cassé.", "language"),
        ("Das Paket ist leider kaputt angekommen.", "language"),
        ("Посылка пришла сломанной.", "language"),
        ("配送太慢了", "language"),
        ("> Your call is important to us.\n> Please hold.", "quote"),
        ('"The customer is never wrong, whatever it takes" - an old hotel owner', "quote"),
        ("Terrible!", None),
        ("Great service", None),
        ("👍", None),
        (":(", None),
        ("Refund", None),
        ('"Premium" they call it. It broke.', None),
        ("pls fix teh app its sooo slow lol", None),
        ("gr8 servce thx", None),
    ],
)
def test_abstain(text, reason):
    assert read(text).abstain == reason


@pytest.mark.parametrize(
    ("declared", "code", "reason"),
    [("fr-CA", "fr", "language"), ("en-GB", "en", None), ("EN_us", "en", None), ("und", "en", None), ("?", "en", None)],
)
def test_the_language_a_source_declares_wins(declared, code, reason):
    reading = read("The parcel was late and the driver was rude.", language=declared)
    assert (reading.language, reading.abstain) == (code, reason)


def test_probabilities_stay_on_abstain():
    reading = read("The parcel was late and broken.", language="de")
    assert reading.abstain == "language"
    assert reading.sentiment["negative"] > 0.6 < reading.topics["delivery"]


@pytest.mark.parametrize("text", ["Parking", "More benches outside"])
def test_the_question_says_what_a_bare_noun_phrase_means(text):
    improve, praise = read(text, "What could we improve?"), read(text, "What did you like?")
    assert improve.types["suggestion"] >= 0.6
    assert improve.sentiment["negative"] > improve.sentiment["positive"]
    assert praise.sentiment["positive"] > praise.sentiment["negative"]
    assert improve.abstain is praise.abstain is None


def test_the_question_does_not_outvote_the_words():
    assert read("Nothing, it was all great.", "What could we improve?").sentiment["positive"] > 0.6
    assert read("The food was terrible.", "What did you like?").sentiment["negative"] > 0.6


def test_mixed_needs_something_good_and_something_bad():
    assert read("The room was lovely but the staff were rude.").mixed
    assert not read("The room was lovely and the staff were kind.").mixed


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    "before", ["😀👩‍👩‍👧 ", "cafe\u0301 naïve ", "“quoted” ", "\u202eabc\u200b ", "<b>x</b> ", "\ud800 "]
)
def test_spans_point_into_the_text_as_given(before, line_end):
    text = f"{before}fine.{line_end}{line_end}The PARCEL was not very good."
    reading = read(text)
    places = {(span.axis, span.label, text[span.start : span.end]) for span in reading.spans}
    assert ("topic", "delivery", "PARCEL") in places
    assert ("sentiment", "negative", "not very good") in places


def test_a_type_points_at_its_sentence():
    text = "The seats are comfy. Please add a cup holder. How much is it?"
    spans = {span.label: text[span.start : span.end] for span in read(text).spans if span.axis == "type"}
    assert spans["suggestion"] == "Please add a cup holder."
    assert spans["question"] == "How much is it?"


def test_a_long_text_is_cut_and_says_so():
    text = "All fine here. " * 2_000
    assert read(text + "Terrible, awful, the worst.").sentiment == read(text).sentiment
    assert read(text).truncated
    assert not read("All fine here.").truncated


def test_logits_stand_in_label_order():
    reading = read("Parcel came late.")
    assert list(map(len, reading.logits.values())) == [3, len(default_taxonomy().topics), 4, 3]
    assert max(reading.logits["sentiment"]) == reading.logits["sentiment"][0]


def test_what_customers_write_does_not_stay_in_memory():
    phrases = _phrases(default_taxonomy())
    read("Warm up.")
    before = len(phrases._vocab.strings)
    read(" ".join(f"zq{number}w" for number in range(2_000)))
    assert len(phrases._vocab.strings) == before


def test_no_phrase_of_the_lexicon_has_two_weights():
    seen = {}
    for cue, phrases in english().cues:
        for phrase in phrases:
            key = (cue.kind, tuple(token.stem for token in tokenise(normalise(phrase))))
            assert seen.setdefault(key, cue) == cue, phrase
