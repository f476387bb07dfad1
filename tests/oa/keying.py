"""A security key made of software, as browsers speak for one: for the tests of what the server takes and refuses."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from html import unescape
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from django.test import Client
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import (
    AttestationObject,
    AttestedCredentialData,
    AuthenticationResponse,
    AuthenticatorAssertionResponse,
    AuthenticatorAttestationResponse,
    AuthenticatorData,
    CollectedClientData,
    RegistrationResponse,
)

from oa.organisation.models import User
from tests.oa.entering import enter

ADD, REMOVE = "/access/keys/new/", "/access/keys/remove/"
ORIGIN = "http://testserver"
PRESENT = AuthenticatorData.FLAG.UP


class SoftKey:
    """One key. Each of its answers counts one further; `counter` at None stands for passkeys, which never count."""

    def __init__(self, counter: int | None = 0) -> None:
        self.private = ec.generate_private_key(ec.SECP256R1())
        self.identifier = secrets.token_bytes(32)
        self.counter = counter

    def make(self, options: dict[str, Any], origin: str = ORIGIN, site: str = "") -> str:
        """What a browser sends after `navigator.credentials.create`."""
        public = ES256.from_cryptography_key(self.private.public_key())
        credential = AttestedCredentialData.create(bytes(16), self.identifier, public)
        data = self._data(site or options["rp"]["id"], PRESENT | AuthenticatorData.FLAG.AT, credential)
        client = CollectedClientData.create("webauthn.create", options["challenge"], origin)
        response = AuthenticatorAttestationResponse(
            client_data=client, attestation_object=AttestationObject.create("none", data, {})
        )
        return json.dumps(dict(RegistrationResponse(raw_id=self.identifier, response=response)))

    def answer(
        self, options: dict[str, Any], origin: str = ORIGIN, site: str = "", flags: int = PRESENT, **more: Any
    ) -> str:
        """What a browser sends after `navigator.credentials.get`."""
        data = self._data(site or options["rpId"], flags)
        client = CollectedClientData.create(more.pop("type", "webauthn.get"), options["challenge"], origin)
        signature = self.private.sign(data + client.hash, ec.ECDSA(hashes.SHA256()))
        response = AuthenticatorAssertionResponse(
            client_data=client, authenticator_data=data, signature=more.pop("signature", signature), **more
        )
        return json.dumps(dict(AuthenticationResponse(raw_id=self.identifier, response=response)))

    def _data(self, site: str, flags: int, credential: bytes = b"") -> AuthenticatorData:
        if self.counter is not None:
            self.counter += 1
        hashed = hashlib.sha256(site.encode()).digest()
        return AuthenticatorData.create(hashed, AuthenticatorData.FLAG(flags), self.counter or 0, credential)

    @property
    def name(self) -> str:
        """The identifier as it stands in options."""
        return websafe_encode(self.identifier)


def options_on(page: Any) -> dict[str, Any]:
    """What the page hands to the browser."""
    found = re.search(r'data-options="([^"]+)"', page.content.decode())
    assert found is not None, page.content.decode()[:600]
    made: dict[str, Any] = json.loads(unescape(found[1]))
    return made


def add_key(client: Client, name: str = "Blue key", key: SoftKey | None = None) -> tuple[SoftKey, Any]:
    """A key of who is logged in there, and the answer of the page."""
    key = key or SoftKey()
    made = key.make(options_on(client.get(ADD)))
    return key, client.post(ADD, {"name": name, "credential": made})


def with_key(user: User) -> tuple[SoftKey, list[str]]:
    """A key of `user` and the recovery codes that came with it."""
    key, page = add_key(enter(user))
    assert page.status_code == 200, page.content.decode()[:600]
    return key, re.findall(r"<li><code>(\d{4}-\d{4})</code></li>", page.content.decode())


def use(client: Client, answer: str, path: str = "/login/code/", **more: Any) -> Any:
    """Send the answer of a key."""
    return client.post(path, {"credential": answer, **more})
