import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from models.encoder.heed_en import SHIPPED
from models.encoder.limits import Limits, limits
from models.prediction import Verbatim


@pytest.fixture(scope="module")
def tokenizer():
    tokenizer = Tokenizer.from_file(str(SHIPPED / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def look(tokenizer: Tokenizer, text: str, question: str | None = None, language: str | None = None) -> Limits:
    pieces = tokenizer.encode(text, add_special_tokens=False).offsets
    return limits(Verbatim(text, question, language), pieces)


EMPTY = ["", " \n", "...", "!!!", "-", "?", "\u200b\u202e"]
SHORT = [
    *[
        "👍",
        "❤️❤️",
        ":-)",
        "n/a",
        "N.A.",
        "None",
        "none at the moment, thanks",
        "Nothing.",
        "Nothing really",
        "No",
        "Yes",
    ],
    *["idk", "I don't know", "None that I can think of", "ok", "test", "asdf", "10", "3", "1 2 3"],
    *["+44 20 7946 0958", "anna@example.com", "https://example.com/x?y=1", "Order #12345", "INV-2024-001"],
    *["my order number is AB-1234", "Tel. 0161 496 0000, anna@example.com"],
]
FOREIGN = [
    *["Le colis est arrivé en retard et cassé.", "Das Paket ist leider kaputt angekommen.", "Todo muy bien, gracias"],
    *["Il personale era molto gentile", "O atendimento foi ótimo", "Obsługa była bardzo miła, polecam"],
    *["Het personeel was erg vriendelijk", "Personalen var mycket trevlig", "Personel çok ilgiliydi, teşekkürler"],
    *["Персонал был очень вежливым", "服务很好", "スタッフはとても親切でした", "الخدمة سيئة جدا", "सेवा बहुत अच्छी थी"],
    *["bahut accha service tha, staff bhi helpful hai", "ye app bilkul bekar hai, paise wapas karo"],
    *["Muy malo", "Excelente servicio", "Merci beaucoup", "très bien", "Bardzo dobrze"],
    *["lorem ipsum dolor sit amet, consectetur adipiscing elit", "asdf qwer zxcv hjkl dfgh"],
]
CODE = [
    "for (int i = 0; i < n; i++) { sum += a[i]; }",
    "SELECT * FROM users WHERE id = 4;",
    '{"id": 17, "state": "open", "tags": ["a", "b"]}',
]
QUOTES = ["> Your call is important to us.\n> Please hold.", "Best regards,\nAnna Kowalska\nHead of Operations"]
READ = [
    *["Great!", "Too slow", "Awful", "fine", "Terrible service", "Refund", "Parking", "Thanks!", "10/10", "5 stars"],
    *["👍👍 great", "2 hours late", "N/A - first visit, but the nurse was kind", "WTF", "gr8 servce thx"],
    *["pls fix teh app its sooo slow lol", "immposible to reach . staff excelent", "Communication, communication."],
    *["The paella was superb and José made us feel at home.", "Café nice", "Order 12345 never arrived"],
    "Great stay. Wir kommen gerne wieder. The breakfast was superb and the staff kind.",
    "The waiter said 'c'est la vie' and walked off. Rude.",
    "> We are sorry\nSorry does not bring my parcel.",
    "<p>Great <b>service</b>, friendly staff</p>",
    "The {{first_name}} in your mail was not filled in.",
]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (text, reason)
        for texts, reason in (
            (EMPTY, "empty"),
            (SHORT, "short"),
            (FOREIGN, "language"),
            (CODE, "out-of-domain"),
            (QUOTES, "quote"),
            (READ, None),
        )
        for text in texts
    ],
)
def test_why_to_abstain(tokenizer, text, reason):
    assert look(tokenizer, text).abstain == reason


@pytest.mark.parametrize(
    ("text", "question", "reason"),
    [
        ("Nothing.", "What could we improve?", "short"),
        ("3", "How likely are you to recommend us?", "short"),
        ("Physios", None, "short"),
        ("Physios", "What was good?", None),
        ("sdfgh", "What was good?", "short"),
    ],
)
def test_a_question_gives_a_bare_word_its_meaning(tokenizer, text, question, reason):
    assert look(tokenizer, text, question).abstain == reason


@pytest.mark.parametrize(
    ("text", "declared", "code", "reason"),
    [
        ("The parcel was late.", "fr-CA", "fr", "language"),
        ("Dominos is dominos.", "en", "en", None),
        ("Das Paket ist leider kaputt angekommen und niemand antwortet.", "en", "de", "language"),
        ("The parcel was late.", "und", "en", None),
    ],
)
def test_the_declared_language_is_believed_until_the_words_say_otherwise(tokenizer, text, declared, code, reason):
    found = look(tokenizer, text, language=declared)
    assert (found.language.code, found.abstain) == (code, reason)


def test_only_the_own_words_count(tokenizer):
    text = "Still broken.\n\n> Das Paket ist leider kaputt angekommen.\n> Mit freundlichen Grüßen"
    found = look(tokenizer, text)
    assert [text[one.start : one.end] for one in found.own] == ["Still broken."]
    assert (found.language.code, found.abstain) == ("en", None)


@given(text=st.text(), question=st.none() | st.text(max_size=9), language=st.none() | st.text(max_size=5))
def test_any_text(tokenizer, text, question, language):
    found = look(tokenizer, text, question, language)
    assert 0 <= found.whole <= 1
    assert 0 <= found.language.probability <= 1
    assert found == look(tokenizer, text, question, language)


@pytest.mark.parametrize("pattern", ["a", "a@", "http://", "{(", "> x\nown\n", "1 ", "\u0301"])
def test_a_hostile_text_takes_no_longer_than_its_length(tokenizer, pattern):
    assert look(tokenizer, pattern * (50_000 // len(pattern))).whole <= 1
