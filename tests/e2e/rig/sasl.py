"""SASL from the client's side, for what Postern relays: CRAM-MD5 (RFC 2195) and SCRAM-SHA-256 (RFC 7677)."""

import base64
import hashlib
import hmac
import os


def encode(text):
    return base64.b64encode(text.encode()).decode()


def decode(line):
    return base64.b64decode(line.removeprefix("+").strip()).decode()


def cram_md5(user, password, challenge):
    return f"{user} {hmac.new(password.encode(), challenge.encode(), hashlib.md5).hexdigest()}"


class ScramSha256:
    """The three messages of RFC 5802 §5, without channel binding."""

    def __init__(self, user, password):
        self._password = password.encode()
        self._nonce = base64.b64encode(os.urandom(18)).decode()
        escaped = user.replace("=", "=3D").replace(",", "=2C")
        self._bare = f"n={escaped},r={self._nonce}"
        self.first = "n,," + self._bare

    def final(self, server_first):
        fields = dict(part.split("=", 1) for part in server_first.split(","))
        assert fields["r"].startswith(self._nonce), server_first
        salted = hashlib.pbkdf2_hmac("sha256", self._password, base64.b64decode(fields["s"]), int(fields["i"]))
        without_proof = f"c=biws,r={fields['r']}"
        message = f"{self._bare},{server_first},{without_proof}".encode()
        client_key = hmac.digest(salted, b"Client Key", "sha256")
        signature = hmac.digest(hashlib.sha256(client_key).digest(), message, "sha256")
        proof = bytes(a ^ b for a, b in zip(client_key, signature))
        server_key = hmac.digest(salted, b"Server Key", "sha256")
        self._server = base64.b64encode(hmac.digest(server_key, message, "sha256")).decode()
        return f"{without_proof},p={base64.b64encode(proof).decode()}"

    def believes(self, server_final):
        """Whether the server knows the password, too."""
        return server_final == f"v={self._server}"
