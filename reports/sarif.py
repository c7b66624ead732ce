"""A decision of the gate as SARIF 2.1.0, for code scanning. It decides nothing.

OASIS Standard, https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html and its JSON Schema, read
2026-11-21. A finding's place is a file of the repository, which code scanning wants, and a logical location,
which is the truth: the id of what was judged. The fingerprint is made of that id, so an alert stays the same
one while its text changes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from reports import escaping
from reports.gate import LEVELS, Decision, Kind, Notice

VERSION = "2.1.0"
SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
ANYWHERE = "wirecheck-results.jsonl"  # the place of a finding that has none

_RULES: Mapping[Kind, str] = {
    "regression": "A result that was passed or warned is failed or errored, or a claim lost its evidence.",
    "new failure": "A failure that the baseline does not know.",
    "not judged": "Results that passed were not judged.",
    "unexpected pass": "What was expected to fail passes.",
    "expired": "The day of an expected failure is over.",
    "stale": "An expected failure names nothing that exists.",
    "unjudged": "What was expected to fail was not judged.",
    "expected": "A failure that somebody answers for.",
    "undecided": "The run cannot be judged.",
}


def document(decision: Decision, place: str = "") -> str:
    """The SARIF log of ``decision``; ``place`` is the file that findings are shown at."""
    notices = decision.notices
    rules = sorted({_rule(notice) for notice in notices})
    log = {
        "$schema": SCHEMA,
        "version": VERSION,
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "wirecheck",
                        "rules": [
                            {"id": id, "shortDescription": {"text": _RULES[kind]}} for id, kind in rules
                        ],
                    }
                },
                "results": [_result(notice, place or ANYWHERE, rules) for notice in notices],
                "columnKind": "unicodeCodePoints",
            }
        ],
    }
    return json.dumps(log, indent=1, ensure_ascii=False) + "\n"


def _rule(notice: Notice) -> tuple[str, Kind]:
    name = notice.kind.replace(" ", "-")
    return (f"{name}/{escaping.line(notice.check)}" if notice.check else name, notice.kind)


def _result(notice: Notice, place: str, rules: list[tuple[str, Kind]]) -> dict[str, Any]:
    id = escaping.line(notice.id)
    fields: dict[str, Any] = {
        "ruleId": _rule(notice)[0],
        "ruleIndex": rules.index(_rule(notice)),
        "level": LEVELS[notice.kind],
        "message": {"text": notice.text},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": quote(place, safe="/", errors="replace")},
                    "region": {"startLine": 1},
                },
                "logicalLocations": [{"fullyQualifiedName": id or "wirecheck", "kind": "resource"}],
            }
        ],
        "partialFingerprints": {"wirecheckId/v1": hashlib.sha256(f"{notice.kind} {id}".encode()).hexdigest()},
        "properties": {"provider": escaping.line(notice.provider), "blame": notice.blame},
    }
    if notice.kind == "expected":
        fields["suppressions"] = [{"kind": "external", "status": "accepted"}]
    return fields
