"""Every place of a configuration file holds a value of every wrong type in turn: typed faults, no others."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from providers.dialects import DIALECTS, Dialect
from providers.dialects.resolved import File, Given
from providers.errors import DialectFault

SECRET = "canary-0123456789abcdef"
MODEL = {
    "id": "m1",
    "name": "One",
    "api": "openai-completions",
    "baseUrl": "https://a.test",
    "reasoning": True,
    "input": ["text"],
    "cost": {"input": 1, "output": 1, "cacheRead": 0, "cacheWrite": 0},
    "contextWindow": 9,
    "maxTokens": 9,
    "headers": {"x": SECRET},
    "compat": {"a": {"b": 1}},
}
ENTRY = {
    "baseUrl": "https://a.test",
    "api": "openai-completions",
    "apiKey": SECRET,
    "auth": "api-key",
    "authHeader": True,
    "discover": True,
    "headers": {"x": SECRET},
    "compat": {"a": 1},
    "models": [MODEL],
    "modelOverrides": {"m1": {"cost": {"input": 2}, "headers": {"x": "y"}}},
}
TOKEN = {"access_token": SECRET, "refresh_token": "r", "expiry": "2001-01-01T00:00:00Z"}
PROFILE = {"type": "oauth", "provider": "groq", "access": SECRET, "expires": 1}
ZEROCLAW = {
    "model": "m",
    "api_key": SECRET,
    "uri": "https://a.test",
    "fallback": ["groq.b"],
    "fallback_models": ["n"],
    "extra_headers": {"a": "b"},
    "provider_extra": {"a": 1},
    "pricing": {"m": 1.0},
    "temperature": 0.5,
}
GOMODEL = {
    "type": "groq",
    "api_key": SECRET,
    "api_keys": [SECRET],
    "base_url": "https://a.test",
    "models": ["a", {"id": "b"}],
}
FILES: dict[tuple[str, str], Any] = {
    ("zot", "auth.json"): {
        "openai": {"api_key": SECRET, "oauth": TOKEN},
        "additional_api_key_creds": {
            "groq": {"api_key_command": {"program": "p", "args": ["a"], "timeout_ms": 5}, "oauth": TOKEN}
        },
    },
    ("zot", "models.json"): {"providers": {"groq": ENTRY}},
    ("pi", "auth.json"): {
        "groq": {"type": "api_key", "key": SECRET, "env": {"A": "b"}},
        "anthropic": {"type": "oauth", "access": SECRET, "refresh": "r", "expires": 1},
    },
    ("pi", "models.json"): {"providers": {"groq": ENTRY}},
    ("mayros", "mayros.json"): {
        "models": {"mode": "merge", "providers": {"groq": ENTRY}},
        "env": {"A": "b", "vars": {"C": "d"}},
        "agents": {"defaults": {"model": {"primary": "groq/m1"}, "models": {"groq/m1": {"alias": "x"}}}},
        "auth": {"order": {"groq": ["one"]}},
    },
    ("mayros", "agent/models.json"): {"providers": {"groq": ENTRY}},
    ("mayros", "agent/auth-profiles.json"): {
        "profiles": {"one": PROFILE, "two": {"type": "token", "provider": "groq", "token": SECRET}},
        "usageStats": {"one": {"lastUsed": 1, "cooldownUntil": 2}},
        "order": {"groq": ["one"]},
    },
    ("zeroclaw", "config.toml"): {"providers": {"models": {"groq": {"a": ZEROCLAW}}}},
    ("gomodel", "config.yaml"): {"providers": {"groq": GOMODEL}},
}
WRONG = (7, -1.5, "text", "", [1], ["a"], [None], {}, {"a": 1}, None, True)


def _changed(document: Any) -> Iterator[Any]:
    """``document`` with the value at each place replaced by each of WRONG."""
    yield from WRONG
    if isinstance(document, dict | list):
        for key in document if isinstance(document, dict) else range(len(document)):
            for inner in _changed(document[key]):
                copied = copy.copy(document)
                copied[key] = inner
                yield copied


def _toml(value: Any) -> str:
    """An inline TOML value; TOML has no null."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)} = {_toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return '""' if value is None else json.dumps(value)


def _text(path: str, document: Any) -> str:
    if not path.endswith(".toml"):
        return json.dumps(document)
    if not isinstance(document, dict):
        return f"x = {_toml(document)}"
    return "\n".join(f"{json.dumps(k)} = {_toml(v)}" for k, v in document.items())


@pytest.mark.parametrize("profile", ["", "@newest"])
@pytest.mark.parametrize(("system", "path"), list(FILES))
def test_a_wrong_type_is_never_a_crash(system: str, path: str, profile: str) -> None:
    """Resolving, asking for the status and merging give an answer or a typed fault that shows no key."""
    dialect = DIALECTS[system + profile]
    provider = "groq.a" if system == "zeroclaw" else "groq"
    asked = [provider, *({"zot": ["openai"], "pi": ["anthropic"]}.get(system, []))]
    for document in _changed(FILES[system, path]):
        text = _text(path, document)
        world = Given(files={path: File(text.encode(), 0o600)}, now_s=2e9)
        for each in asked:
            told = _told(dialect, world, each, text)
            assert SECRET not in told, text


def _told(dialect: Dialect, world: Given, provider: str, text: str) -> str:
    """What is said of the world: losers, warnings and faults. Anything but a typed fault fails."""
    try:
        resolved = dialect.resolve(world, provider, None)
        dialect.status(world, provider)
        dialect.models(world)
    except DialectFault as fault:
        return str(fault)
    except Exception as crash:
        raise AssertionError(f"{provider}: {text}") from crash
    return repr((resolved.lost, resolved.warnings, str(resolved.fault)))
