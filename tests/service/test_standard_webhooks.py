import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
import standardwebhooks
from hypothesis import given
from hypothesis import strategies as st

from service.standard_webhooks import (
    InvalidSecret,
    InvalidSignature,
    OutsideWindow,
    WebhookError,
    decode_secret,
    new_secret,
    sign,
    verify,
)

# The worked example that the Standard Webhooks specification publishes.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
TIME = 1614265330
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
OTHER = "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc="

SECRETS = st.binary(min_size=24, max_size=64).map(lambda key: "whsec_" + base64.b64encode(key).decode())
IDS = st.text("abcXYZ0189_-", min_size=1, max_size=60)


def headers(message_id=ID, timestamp=str(TIME), signature=SIGNATURE):
    return {"webhook-id": message_id, "webhook-timestamp": timestamp, "webhook-signature": signature}


def at(seconds):
    return datetime.fromtimestamp(seconds, UTC)


def test_the_published_example_is_signed_as_published():
    assert sign([SECRET], ID, TIME, BODY) == SIGNATURE


@pytest.mark.parametrize(
    ("secret", "offered", "after"),
    [
        (SECRET, SIGNATURE, 0),
        (SECRET, SIGNATURE, 299),
        (SECRET, SIGNATURE, -299),
        (SECRET, f"{OTHER} {SIGNATURE}", 0),
        (SECRET, f"v1a,AAAA  {SIGNATURE}", 0),
        (SECRET.removeprefix("whsec_"), SIGNATURE, 0),
    ],
)
def test_accepted(secret, offered, after):
    assert verify([secret], headers(signature=offered), BODY, at(TIME + after)) == ID


def test_header_names_in_any_case_and_either_secret_while_rotating():
    shouted = {name.upper(): value for name, value in headers().items()}
    assert verify([new_secret(), SECRET], shouted, BODY, at(TIME)) == ID


@pytest.mark.parametrize("after", [301, -301])
def test_outside_the_window(after):
    with pytest.raises(OutsideWindow):
        verify([SECRET], headers(), BODY, at(TIME + after))


@pytest.mark.parametrize(
    "received",
    [
        {},
        headers(signature=""),
        headers(signature=SIGNATURE.upper()),
        headers(signature=SIGNATURE.replace("v1,", "v2,")),
        headers(signature=SIGNATURE[:-1]),
        headers(signature="v1"),
        headers(signature="v1,a,b"),
        headers(signature="v1,\udc80\x00"),
        headers(signature="v1,é"),
        headers(signature="v1,AA"),
        headers(message_id=""),
        headers(message_id="msg_\udc80"),
        headers(message_id="msg other"),
        headers(message_id=ID + "x"),
        headers(timestamp="soon"),
        headers(timestamp="-1"),
        headers(timestamp="1e9"),
        headers(timestamp="0" + str(TIME)),
        headers(timestamp="١٦١٤٢٦٥٣٣٠"),
        headers(timestamp="9" * 5000),
        headers(timestamp=str(TIME) + "\n"),
    ],
)
def test_a_malformed_or_foreign_header_is_our_own_error(received):
    with pytest.raises(InvalidSignature):
        verify([SECRET], received, BODY, at(TIME))


def test_a_changed_body_is_refused():
    with pytest.raises(InvalidSignature):
        verify([SECRET], headers(), BODY + b" ", at(TIME))


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "whsec_",
        "whsec_short",
        SECRET + "!!!!",
        "whsec_" + "A" * 87,
        "whsec_" + "é" * 32,
        "whsec_\udc80",
        "whsec_" + "A" * 33,
    ],
)
def test_a_secret_that_is_none(secret):
    with pytest.raises(InvalidSecret, match="24 to 64 bytes"):
        sign([secret], ID, TIME, BODY)


def test_a_new_secret_holds_32_bytes_and_is_new():
    assert len(decode_secret(new_secret())) == 32
    assert new_secret() != new_secret()


@given(SECRETS, IDS, st.integers(10**9, 2 * 10**9), st.text())
def test_we_sign_as_the_reference_library_does(secret, message_id, timestamp, text):
    try:
        body = text.encode()
    except UnicodeEncodeError:
        return
    reference = standardwebhooks.Webhook(secret).sign(message_id, at(timestamp), text)
    assert sign([secret], message_id, timestamp, body) == reference


@given(st.lists(SECRETS, min_size=1, max_size=3, unique=True), IDS, st.data())
def test_the_reference_library_accepts_what_we_sign(secrets, message_id, data):
    now = datetime.now(UTC)
    body = json.dumps(data.draw(st.dictionaries(st.text("ab"), st.integers()))).encode()
    signed = headers(message_id, str(int(now.timestamp())), sign(secrets, message_id, int(now.timestamp()), body))
    secret = data.draw(st.sampled_from(secrets))
    standardwebhooks.Webhook(secret).verify(body, signed)
    assert verify([secret], signed, body, now) == message_id


@given(st.dictionaries(st.sampled_from(list(headers())), st.text()), st.binary(), st.text())
def test_nothing_received_raises_anything_but_our_error(received, body, secret):
    with pytest.raises(WebhookError):
        verify([secret, SECRET], headers(signature="v1,x") | received, body, at(TIME) + timedelta(seconds=1))
