import ipaddress
import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from service.deliver.http import open_client
from service.deliver.wire import Unreachable


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A self-signed certificate for hooks.example, as a file with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hooks.example")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=key.public_key(), serial_number=1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("hooks.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "hooks.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    return path


@pytest.fixture
def secure(receiver, certificate):
    """A receiver that speaks TLS and notes the name it was asked for."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    asked = []
    context.sni_callback = lambda _socket, name, _context: asked.append(name)

    def behave(connection):
        with context.wrap_socket(connection, server_side=True) as tls:
            server.reply(tls)

    server = receiver(behave=behave)
    server.asked = asked
    return server


def client(server, host, tls):
    return open_client(
        frozenset({(host, server.port)}), resolve=lambda *_: [ipaddress.ip_address("127.0.0.1")], tls=tls, deadline=5
    )


def test_the_name_is_kept_where_the_address_is_pinned(secure, certificate):
    trusting = client(secure, "hooks.example", ssl.create_default_context(cafile=certificate))
    assert trusting.send("POST", f"https://hooks.example:{secure.port}/a", {}, b"{}").status == 200
    assert secure.asked == ["hooks.example"]
    assert secure.seen[0].headers["host"] == f"hooks.example:{secure.port}"


def test_a_certificate_for_another_name_is_refused(secure, certificate):
    trusting = client(secure, "other.example", ssl.create_default_context(cafile=certificate))
    with pytest.raises(Unreachable):
        trusting.send("POST", f"https://other.example:{secure.port}/", {}, b"{}")
    assert secure.seen == []


def test_a_certificate_nobody_vouches_for_is_refused(secure):
    with pytest.raises(Unreachable):
        client(secure, "hooks.example", None).send("POST", f"https://hooks.example:{secure.port}/", {}, b"{}")
    assert secure.seen == []
