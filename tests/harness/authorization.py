"""A real authorization server on a loopback socket with TLS, for the login tests.

It keeps codes, PKCE challenges, device codes and refresh tokens, and refuses what it did not give.
"""

import base64
import datetime
import hashlib
import http.server
import ipaddress
import json
import secrets
import ssl
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

CLIENT = "operator-client"


def certificate(folder: Path) -> tuple[Path, Path]:
    """A fresh certificate for 127.0.0.1 and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate_path, key_path = folder / "certificate.pem", folder / "key.pem"
    certificate_path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return certificate_path, key_path


class Authorization:
    """The server's memory and its answers."""

    def __init__(self) -> None:
        self.codes: dict[str, tuple[str, str]] = {}
        self.refresh_tokens: set[str] = {"refresh-0"}
        self.refreshed = 0
        self.device_answers: list[str] = []
        self.refuses_browser = False
        self.delay_s = 0.0

    def authorize(self, query: dict[str, str]) -> str:
        """The redirect after the operator agreed, or refused."""
        assert query["client_id"] == CLIENT
        assert query["code_challenge_method"] == "S256"
        if self.refuses_browser:
            told = {"error": "access_denied", "state": query["state"]}
        else:
            code = secrets.token_urlsafe(8)
            self.codes[code] = (query["code_challenge"], query["redirect_uri"])
            told = {"code": code, "state": query["state"]}
        return f"{query['redirect_uri']}?{urlencode(told)}"

    def token(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """The answer of the token endpoint."""
        if form.get("client_id") != CLIENT:
            return 401, {"error": "invalid_client"}
        grant = form["grant_type"]
        if grant == "authorization_code":
            return self._code(form)
        if grant == "refresh_token":
            return self._refresh(form["refresh_token"])
        answer = self.device_answers.pop(0) if self.device_answers else "ok"
        return self._issued("device") if answer == "ok" else (400, {"error": answer})

    def _code(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        challenge, redirect = self.codes.pop(form["code"], ("", ""))
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        if base64.urlsafe_b64encode(digest).decode().rstrip("=") != challenge:
            return 400, {"error": "invalid_grant"}
        return (
            self._issued("browser") if redirect == form["redirect_uri"] else (400, {"error": "invalid_grant"})
        )

    def _refresh(self, token: str) -> tuple[int, dict[str, Any]]:
        time.sleep(self.delay_s)
        if token not in self.refresh_tokens:
            return 400, {"error": "invalid_grant", "error_description": f"{token} is spent"}
        self.refresh_tokens.remove(token)
        self.refreshed += 1
        return self._issued(f"refreshed-{self.refreshed}")

    def _issued(self, how: str) -> tuple[int, dict[str, Any]]:
        refresh = f"refresh-{len(self.refresh_tokens) + self.refreshed + 1}"
        self.refresh_tokens.add(refresh)
        told = {"access_token": f"access-{how}", "token_type": "Bearer", "expires_in": 3600}
        return 200, {**told, "refresh_token": refresh}


class _Handler(http.server.BaseHTTPRequestHandler):
    memory: Authorization

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.send_response(302)
        self.send_header("Location", self.memory.authorize(query))
        self.end_headers()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = {name: values[0] for name, values in parse_qs(body).items()}
        status, told = self.memory.token(form) if self.path == "/token" else (200, self._device())
        content = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _device(self) -> dict[str, Any]:
        return {
            "device_code": "device-1",
            "user_code": "ABCD-EFGH",
            "verification_uri": "https://127.0.0.1/enter",
            "interval": 1,
            "expires_in": 60,
        }

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


class Running:
    """The server on its socket. ``url`` is its origin, ``context`` trusts its certificate."""

    def __init__(self, folder: Path) -> None:
        self.memory = Authorization()
        certificate_path, key_path = certificate(folder)
        handler = type("Handler", (_Handler,), {"memory": self.memory})
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        here = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        here.load_cert_chain(certificate_path, key_path)
        self.server.socket = here.wrap_socket(self.server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self.server.server_port}"
        self.context = ssl.create_default_context(cafile=str(certificate_path))
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def close(self) -> None:
        """Stop and free the socket."""
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
