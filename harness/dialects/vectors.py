"""Runs dialect vectors: a starting state, one operation, what must come of it.

The format is public and documented in docs/dialect-vectors.md with its JSON Schema; anybody's vectors
run. Each vector gets a home of its own on disk. Requests are built by the protocols' own builders and
recorded instead of sent. The rules are in ``providers.dialects``; what an operation does is in
``operations``; this module reads, runs and compares.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from harness.dialects.bench import Bench, Outcome
from harness.dialects.operations import OPERATIONS
from harness.dialects.usable import fault as unusable
from harness.dialects.usable import never_ran
from harness.errors import UnusableInput
from providers.dialects import DIALECTS
from providers.errors import CatalogError, DialectFault, ProviderError

Profile = Literal["default", "newest"]
COUNTED: Mapping[str, tuple[str, ...]] = {"default": ("both", "seed"), "newest": ("both", "newest")}
# A vector whose parts have another shape than the format says; the others still run.
UNUSABLE = (KeyError, TypeError, ValueError, AttributeError, OSError, RecursionError)
SYSTEMS = ("zot", "pi", "mayros", "zeroclaw", "gomodel")

# The published words; our own further warnings are no part of the format.
CATEGORIES = frozenset(
    (
        *("auth_failed", "command_failed", "discover_without_base_url", "empty_model_id", "empty_provider"),
        *("fallback_without_credential", "invalid_alias", "invalid_mode", "invalid_value"),
        *("key_prefix_mismatch", "missing_api", "missing_api_key", "missing_base_url"),
        *("missing_credential", "missing_endpoint", "missing_env", "missing_model", "model_not_allowed"),
        *("negative_limit", "not_overridable", "parse_error", "rate_limited", "schema_error"),
        *("store_unreadable", "unknown_api", "unknown_api_fallback", "unknown_model_id"),
        "unresolved_path",
    )
)


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The starting state. Every key that is absent is empty."""

    cli: dict[str, Any] = {}
    env: dict[str, str] = {}
    files: dict[str, Any] = {}
    store: dict[str, Any] = {}
    builtin_models: list[dict[str, Any]] = []
    live_models: list[dict[str, Any]] = []
    upstream: dict[str, Any] = {}
    responses: dict[str, Any] = {}
    modes: dict[str, str] = {}
    no_home: bool = False
    implicit: dict[str, Any] = {}
    explicit: dict[str, Any] = {}


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """What is done; an operation's further arguments stand beside ``op``."""

    op: str


class Vector(msgspec.Struct, frozen=True, kw_only=True):
    """One vector of the public format, version 1. ``system`` may be left out where id or file name say it.

    ``provenance``: documented (the system's page says so), source (read in its code), observed (the real
    program was run), derived (made from a rule that one of these supports).
    """

    id: str
    rule: str
    profile: Literal["both", "seed", "newest"]
    given: State
    when: Operation
    expect: dict[str, Any]
    title: str = ""
    provenance: Literal["documented", "source", "observed", "derived"] = "derived"
    system: Literal["", "zot", "pi", "mayros", "zeroclaw", "gomodel"] = ""
    also_rules: list[str] = []
    observed_on: list[str] | str | None = None


STATE_NAMES = frozenset(State.__struct_fields__)


def json_schema() -> dict[str, Any]:
    """The format as a JSON Schema: a file is a list of vectors."""
    schema = msgspec.json.schema(list[Vector])
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Dialect vectors", **schema}


class Failure(msgspec.Struct, frozen=True):
    """A vector that did not hold."""

    id: str
    rule: str
    expected: Any
    actual: Any


class Report(msgspec.Struct, frozen=True):
    """The outcome of a run. Vectors of other profiles are in no count."""

    total: int
    passed: int
    failures: tuple[Failure, ...]

    def plain(self) -> dict[str, Any]:
        """The report in its published form."""
        fail = [msgspec.to_builtins(failure) for failure in self.failures]
        return {"total": self.total, "pass": self.passed, "fail": fail}


def load(path: Path) -> list[dict[str, Any]]:
    """The vectors of a file. Raises UnusableInput, which tells what is wrong and where."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UnusableInput(f"{path.name} cannot be read", seen=error.strerror or "") from None
    except ValueError as error:
        raise UnusableInput(f"{path.name} is no JSON", seen=str(error)) from None
    except RecursionError:
        raise UnusableInput(f"{path.name} is nested too deeply") from None
    try:
        msgspec.convert(found, list[Vector])
    except RecursionError:
        raise UnusableInput(f"{path.name} is nested too deeply") from None
    except msgspec.ValidationError as error:
        raise UnusableInput(
            f"{path.name} holds no vectors", expected="fixtures/dialects/schema.json", seen=str(error)
        ) from None
    return list(found)


def system_of(path: Path, vector: Mapping[str, Any]) -> str:
    """The system a vector is about: its ``system``, else the start of its id, else the file's name.

    Raises UnusableInput when none of them names a system.
    """
    named = (vector.get("system"), str(vector["id"]).rpartition("-")[0], path.stem, path.stem.split("-")[0])
    found = next((name for name in named if name in SYSTEMS), None)
    found = found or next((name for name in SYSTEMS if str(vector["id"]).startswith(name)), None)
    if found is None:
        raise UnusableInput(
            f"{path.name}: nobody knows which system {vector['id']} is about",
            expected=", ".join(SYSTEMS),
            next_step="give the vector a `system`, or name the file after it",
        )
    return found


def verify(files: Iterable[Path], profile: Profile = "default") -> Report:
    """Run the vectors of ``files`` that count for ``profile``. Raises UnusableInput."""
    failures: list[Failure] = []
    total = 0
    for path in files:
        for vector in load(path):
            if vector["profile"] not in COUNTED[profile]:
                continue
            total += 1
            failure = check(system_of(path, vector), vector, profile)
            if failure is not None:
                failures.append(failure)
    return Report(total, total - len(failures), tuple(failures))


def check(system: str, vector: Mapping[str, Any], profile: Profile) -> Failure | None:
    """One vector; None when it holds."""
    dialect = DIALECTS[system if profile == "default" else f"{system}@{profile}"]
    expected: Mapping[str, Any] = vector["expect"]
    reason = unusable(system, vector, STATE_NAMES)
    with tempfile.TemporaryDirectory() as folder:
        try:
            if reason:
                raise DialectFault("unusable_vector", reason)
            bench = Bench(dialect, vector["given"], vector["when"], Path(folder))
            expected = bench.filled(expected)
            actual = run(bench)
            told = [name for name in expected if name != "note"]
            wrong = [name for name in told if not _holds(name, expected[name], actual, bench)]
            wrong = ["error"] if never_ran(actual) else wrong
        except DialectFault as fault:
            wrong, actual = ["error"], {"error": Bench.told(fault)}
        except UNUSABLE as fault:
            wrong, actual = ["error"], {"error": {"category": "unusable_vector", "message": repr(fault)}}
    if not wrong:
        return None
    return Failure(
        id=str(vector["id"]),
        rule=str(vector["rule"]),
        expected={name: expected.get(name) for name in wrong},
        actual={name: actual.get(name) for name in dict.fromkeys((*wrong, "error")) if name in actual},
    )


def run(
    bench: Bench, operations: Mapping[tuple[str, str], Callable[[Bench], Outcome]] = OPERATIONS
) -> Outcome:
    """What the operation gives; a refusal is its ``error``."""
    name = str(bench.when.get("op"))
    operation = operations.get((bench.dialect.system, name)) or operations.get(("", name))
    if operation is None:
        return {"error": {"category": "unknown_operation", "name": name}}
    try:
        return operation(bench)
    except CatalogError:
        raise  # ours: no vector can be judged
    except DialectFault as fault:
        return {**bench.so_far, "error": bench.told(fault)}
    except ProviderError as fault:
        return {**bench.so_far, "error": {"category": type(fault).__name__, "message": fault.summary}}
    except UNUSABLE as fault:
        return {**bench.so_far, "error": {"category": "unusable_vector", "message": repr(fault)}}


# --- comparison ---


def _holds(name: str, expected: Any, actual: Outcome, bench: Bench) -> bool:
    judge = JUDGES.get(name)
    if judge is not None:
        return judge(expected, actual, bench)
    if name not in actual and "error" not in actual and name != "error":
        return False  # the operation tells nothing of that name, so a null would always hold
    return subset(expected, actual.get(name))


def subset(expected: Any, actual: Any) -> bool:
    """Objects match as subsets, lists exactly, null means absent; numbers by value."""
    if isinstance(expected, Mapping):
        return isinstance(actual, Mapping) and all(
            subset(value, actual.get(key)) for key, value in expected.items()
        )
    if isinstance(expected, list):
        return (
            isinstance(actual, list | tuple)
            and len(expected) == len(actual)
            and all(subset(one, other) for one, other in zip(expected, actual, strict=True))
        )
    if isinstance(expected, bool) or isinstance(actual, bool):
        return expected is actual
    if isinstance(expected, float) and isinstance(actual, int | float):
        return abs(expected - actual) <= 1e-9 * max(1.0, abs(expected))
    return bool(expected == actual)


def _each_found(expected: Any, actual: Iterable[Any]) -> bool:
    entries = list(actual)
    return all(any(subset(one, entry) for entry in entries) for one in expected)


def _models(expected: Any, actual: Outcome, bench: Bench) -> bool:
    return "models" in actual and _each_found(expected, actual["models"])


def _absent_models(expected: Any, actual: Outcome, bench: Bench) -> bool:
    found = actual.get("models")
    return found is not None and not any(subset(one, entry) for one in expected for entry in found)


def _told(name: str) -> Callable[[Any, Outcome, Bench], bool]:
    """Errors and warnings: as many of the published categories as expected, in any order."""

    def judge(expected: Any, actual: Outcome, bench: Bench) -> bool:
        found = list(actual.get(name) or [])
        if expected and isinstance(expected[0], str):
            return set(expected) == set(found)
        known = [entry for entry in found if isinstance(entry, str) or entry.get("category") in CATEGORIES]
        if len(known) != len(expected):
            return False
        for one in expected:
            match = next((entry for entry in known if subset(one, entry)), None)
            if match is None:
                return False
            known.remove(match)
        return True

    return judge


def _headers(expected: Any, actual: Outcome, bench: Bench) -> bool:
    """Exactly these, names without case."""
    found = actual.get("headers")
    return found is not None and _lower(expected) == _lower(found)


def _lower(headers: Mapping[str, Any]) -> dict[str, Any]:
    return {str(name).lower(): value for name, value in headers.items()}


def _files(expected: Any, actual: Outcome, bench: Bench) -> bool:
    return all(subset(content, bench.content(path)) for path, content in expected.items())


def _modes(expected: Any, actual: Outcome, bench: Bench) -> bool:
    return all(bench.mode(path) == int(mode, 8) for path, mode in expected.items())


def _absent_paths(expected: Any, actual: Outcome, bench: Bench) -> bool:
    return not any(bench.holds(path) for path in expected)


def _requests(expected: Any, actual: Outcome, bench: Bench) -> bool:
    found = actual.get("requests")
    if found is None or len(found) != len(expected):
        return False
    return all(_request(one, other) for one, other in zip(expected, found, strict=True))


def _one_request(expected: Any, actual: Outcome, bench: Bench) -> bool:
    found = actual.get("request")
    return found is not None and _request(expected, found)


def _request(expected: Mapping[str, Any], sent: Mapping[str, Any]) -> bool:
    path, body = str(sent["path"]), sent["body"]
    rest = {name: value for name, value in expected.items() if name not in REQUEST_FIELDS}
    return (
        path.startswith(expected.get("path_prefix", ""))
        and path.endswith(expected.get("path_suffix", ""))
        and subset(_lower(expected.get("headers", {})), _lower(sent["headers"]))
        and subset(expected.get("body", {}), body)
        and not any(name in body for name in expected.get("body_absent", ()))
        and all(part in sent["first_user"] for part in expected.get("first_user_contains", ()))
        and subset(rest, sent)
    )


REQUEST_FIELDS = ("path_prefix", "path_suffix", "headers", "body", "body_absent", "first_user_contains")


def _kinds(expected: Any, actual: Outcome, bench: Bench) -> bool:
    return set(expected) <= set(actual.get("kinds") or ())


def _absent_providers(expected: Any, actual: Outcome, bench: Bench) -> bool:
    found = actual.get("providers")
    return found is not None and not set(expected) & set(found)


JUDGES: Mapping[str, Callable[[Any, Outcome, Bench], bool]] = {
    "models": _models,
    "absent_models": _absent_models,
    "errors": _told("errors"),
    "warnings": _told("warnings"),
    "headers": _headers,
    "files": _files,
    "modes": _modes,
    "absent_paths": _absent_paths,
    "requests": _requests,
    "request": _one_request,
    "kinds_include": _kinds,
    "absent_providers": _absent_providers,
}
