"""Where webhooks may go, whatever a merchant writes and a name resolves to."""

import datetime as dt
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from core.environment import ENVIRONMENT
from etebar_common.environment import Profile
from payments.tests.receivers import HOST, receiving, status
from payments.webhooks import sender, targets
from payments.webhooks.sender import send
from payments.webhooks.targets import TargetRefused, address_of, target_of

NOT_PUBLIC = [
    "127.0.0.1",
    "0.0.0.0",  # noqa: S104 - as a target
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "198.18.0.1",
    "192.0.0.8",
    "192.88.99.1",
    "::1",
    "::",
    "fe80::1",
    "fd00::1",
    "fec0::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::1",
    "2002:7f00:1::",
    "2001:0:7f00:1::",
    "2001:db8::1",
]


def answers_with(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """What every name resolves to from now on."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, 443)) for each in addresses]
    monkeypatch.setattr(targets.socket, "getaddrinfo", lambda *_, **__: found)


def use(monkeypatch: pytest.MonkeyPatch, **values: Any) -> None:
    for module in (targets, sender):
        monkeypatch.setattr(module, "ENVIRONMENT", ENVIRONMENT.model_copy(update=values))


@pytest.fixture(autouse=True)
def _none_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The quick start allows receivers on its own host."""
    use(monkeypatch, webhook_allowed_networks=[])


def sent(url: str, seconds: float = 5.0) -> Any:
    return send(url, {}, b"{}", seconds=seconds)


class TestAnAddress:
    @pytest.mark.parametrize("address", NOT_PUBLIC)
    def test_that_is_not_public_is_refused_when_it_is_given(self, address: str) -> None:
        host = f"[{address}]" if ":" in address else address
        with pytest.raises(TargetRefused, match="is not a public address"):
            target_of(f"https://{host}/hook")

    @pytest.mark.parametrize("address", NOT_PUBLIC)
    def test_that_is_not_public_is_refused_when_a_name_leads_there(
        self, address: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        answers_with(monkeypatch, "93.184.215.14", address)
        with pytest.raises(TargetRefused, match="is not a public address"):
            address_of(target_of("https://shop.example/hook"))

    def test_that_is_public_is_taken(self, monkeypatch: pytest.MonkeyPatch) -> None:
        answers_with(monkeypatch, "93.184.215.14")
        assert address_of(target_of("https://shop.example/hook")) == "93.184.215.14"

    def test_in_an_allowed_network_is_taken(self, monkeypatch: pytest.MonkeyPatch) -> None:
        use(monkeypatch, webhook_allowed_networks=["10.0.0.0/8"])
        assert address_of(target_of("https://10.1.2.3/hook")) == "10.1.2.3"
        with pytest.raises(TargetRefused):
            target_of("https://127.0.0.1/hook")


class TestAUrl:
    @pytest.mark.parametrize(
        ("url", "why"),
        [
            ("ftp://shop.example/", "begins with https:// or http://"),
            ("https:///hook", "expected a host name"),
            ("https://user:secret@shop.example/", "without user or password"),
            ("https://shop.example/#part", "expected no fragment"),
            ("https://shop.example:99999/", "is no URL"),
            ("https://[::1/", "is no URL"),
        ],
    )
    def test_that_is_wrong_is_told_why(self, url: str, why: str) -> None:
        with pytest.raises(TargetRefused, match=why):
            target_of(url)

    @pytest.mark.parametrize("url", ["http://shop.example/", "https://shop.example:22/", "https://shop.example:80/"])
    def test_of_production_is_https_at_its_ports(self, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        target_of(url)
        use(monkeypatch, etebar_profile=Profile.PRODUCTION, webhook_allowed_networks=[])
        with pytest.raises(TargetRefused, match="expected"):
            target_of(url)
        target_of("https://shop.example/")
        target_of("https://shop.example:8443/")


class TestSending:
    def test_to_a_name_that_leads_to_loopback_reaches_nobody(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with receiving() as receiver:
            url = receiver.url.replace(HOST, "localhost")
            assert sent(url).error.startswith("not sent: 127.0.0.1 is not a public address")
            assert receiver.received == []

    def test_goes_to_the_address_that_was_looked_at_whatever_the_name_leads_to_later(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """DNS rebinding: the second answer would lead to a receiver of somebody else's."""
        use(monkeypatch, webhook_allowed_networks=["127.0.0.1/32"])
        asked: list[str] = []

        def rebinding(host: str, port: int, *_: Any, **__: Any) -> Any:
            asked.append(host)
            found = HOST if len(asked) == 1 else "127.0.0.2"
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (found, port))]

        with receiving() as receiver:
            url = receiver.url.replace(HOST, "shop.example")
            monkeypatch.setattr(targets.socket, "getaddrinfo", _names_only(rebinding))
            assert sent(url).status == 200
            assert asked == ["shop.example"]
            [received] = receiver.received
            assert received.headers["host"].startswith("shop.example:")

    def test_a_name_that_nobody_knows_is_told(self) -> None:
        assert sent("https://nobody.invalid/").error.startswith("not sent: the name nobody.invalid cannot be resolved")


def _names_only(answer: Any) -> Any:
    real = socket.getaddrinfo

    def getaddrinfo(host: str, *arguments: Any, **options: Any) -> Any:
        # what is an address already is connected to, and not looked up
        return real(host, *arguments, **options) if host[0].isdigit() else answer(host, *arguments, **options)

    return getaddrinfo


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Makes contexts of servers whose certificates are for a name; they are believed."""
    made: dict[str, ssl.SSLContext] = {}

    def certified(name: str) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = dt.datetime.now(dt.UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .sign(key, hashes.SHA256())
        )
        pem = tmp_path / f"{name}.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        pem.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        made[name] = context
        use(monkeypatch, webhook_allowed_networks=["127.0.0.0/8"], webhook_ca_file=pem)
        sender._tls.cache_clear()
        return context

    yield certified
    sender._tls.cache_clear()


class TestOverTls:
    def test_the_certificate_must_be_for_the_name(self, authority: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        answers = _names_only(lambda _, port, **__: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (HOST, port))])
        monkeypatch.setattr(targets.socket, "getaddrinfo", answers)
        with receiving(tls=authority("shop.example")) as receiver:
            assert sent(receiver.url.replace(HOST, "shop.example")).status == 200
            refused = sent(receiver.url.replace(HOST, "other.example"))
            assert "certificate" in refused.error
            assert len(receiver.received) == 1

    def test_an_unknown_authority_is_not_believed(self, authority: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        context = authority("shop.example")
        use(monkeypatch, webhook_allowed_networks=["127.0.0.0/8"])
        sender._tls.cache_clear()
        with receiving(tls=context) as receiver:
            assert "certificate" in sent(receiver.url).error
            assert receiver.received == []

    def test_a_handshake_in_drips_is_over_by_the_deadline(
        self, authority: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        use(monkeypatch, webhook_allowed_networks=["127.0.0.0/8"])
        with socket.create_server((HOST, 0)) as silent:
            port = silent.getsockname()[1]
            assert sent(f"https://{HOST}:{port}/", seconds=0.3).error == "no answer within 0.3 s"

    def test_plain_answers_are_none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        use(monkeypatch, webhook_allowed_networks=["127.0.0.0/8"])
        with receiving(status(200)) as receiver:
            answer = sent(receiver.url.replace("http:", "https:"))
        assert (answer.status, answer.error[:10]) == (None, "no answer:")
