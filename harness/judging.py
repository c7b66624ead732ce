"""One check on one observation to a verdict. Pure.

Blame is decided here. A live exchange that never became an answer (no network, no access, no quota, the page
of a gateway) blames the network or the account, whatever the check. One that had to be broken off, or came in
an encoding that nobody asked for, blames the provider; an offline one blames whom the check blames. A
provider that refused where an answer was due, or answered where a refusal was, is blamed for that alone: what
a subject was to make of the other cannot be judged. A check that breaks down, be it by an exit, has judged
nothing: the harness is blamed, and what the other checks find stands.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from harness.checks.registry import Check
from harness.errors import (
    Blame,
    EndlessAnswer,
    Nonconformance,
    UnaskedEncoding,
    Unjudgeable,
    told_of,
)
from harness.observation import Observation
from harness.services.observation import Served
from providers.errors import (
    AuthenticationFailed,
    PermissionDenied,
    ProviderError,
    QuotaExhausted,
    RateLimited,
    RemoteError,
    TransportError,
    shown,
)

Verdict = Literal["passed", "failed", "warned", "errored", "skipped"]


_GATEWAYS = frozenset({502, 503, 504, *range(520, 528)})  # RFC 9110, section 15.6, and Cloudflare's own
_BREAKDOWNS = frozenset({"overloaded"})  # a refusal that is a 5xx itself


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """A verdict, its reason in one line, and whom it blames."""

    verdict: Verdict
    blame: Blame = ""
    reason: str = ""
    expected: str = ""
    observed: str = ""
    where: str = ""


def judge(check: Check, seen: Observation | Served) -> Judged:
    """What ``check`` finds. A MUST that is broken has failed, a SHOULD has warned, a MAY is only told.

    Whatever else it raises, but for KeyboardInterrupt, is told as its own error.
    """
    hindered = hindrance(seen)
    if hindered:
        return Judged(
            verdict="failed",
            blame=hindered,
            reason=f"no answer to judge: {_observed(seen)}",
            expected="an answer",
            observed=_observed(seen),
        )
    try:
        returned: object = check.judge(seen)  # type: ignore[func-returns-value]
    except Nonconformance as finding:
        return _found(check, finding, _unexpected(seen))
    except Unjudgeable as reason:
        return Judged(verdict="skipped", reason=str(reason))
    except (KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as fault:  # a check may be another's, which may raise anything, SystemExit too
        return Judged(verdict="errored", blame="harness", reason=f"{check.id} broke down: {told_of(fault)}")
    if returned is not None:  # a verdict that nobody asks for, or a coroutine that nobody runs
        told = f"{check.id} returned a {type(returned).__name__}; a check raises what it finds"
        return Judged(verdict="errored", blame="harness", reason=told)
    return Judged(verdict="passed")


def _observed(seen: Observation | Served) -> str:
    if _redirects(seen):
        return f"a redirection, status {seen.exchange.status}: check the base URL and the way there"
    if _is_a_page(seen):
        return f"no error of the protocol, status {seen.exchange.status}: {seen.error}"
    return str(seen.error)


def _redirects(seen: Observation | Served) -> bool:
    return 300 <= seen.exchange.status < 400


def _unexpected(seen: Observation | Served) -> str:
    """How a lawful request was met that should have been met otherwise; empty when it was not."""
    status = seen.exchange.status
    if seen.fault or seen.violations or not status:
        return ""
    if seen.refuses:
        return "" if status >= 400 else f"the provider did not refuse, status {status}"
    return f"the answer is a refusal, status {status}" if status >= 400 else ""


def _found(check: Check, finding: Nonconformance, unexpected: str) -> Judged:
    if unexpected and (finding.blame or check.blames) == "subject":
        return Judged(verdict="skipped", reason=unexpected)
    verdict: Verdict = {"MUST": "failed", "SHOULD": "warned", "MAY": "skipped"}[check.level]  # type: ignore[assignment]
    return Judged(
        verdict=verdict,
        blame="" if verdict == "skipped" else "provider" if unexpected else finding.blame or check.blames,
        reason=f"{unexpected}: {finding}" if unexpected else str(finding),
        expected=finding.expected,
        observed=finding.observed,
        where=finding.at,
    )


def _is_a_page(seen: Observation | Served) -> bool:
    """Whether the answer is a 5xx without the vendor's words, as gateways send: HTML, nothing, other JSON."""
    error = seen.error
    if not isinstance(error, RemoteError) or seen.exchange.status < 500:
        return False
    if error.type is not None or error.code is not None:
        return False
    text = seen.exchange.content.decode("utf-8", "replace").strip()
    return error.body is None or error.message in (None, shown(text))


_NO_ANSWERS: tuple[tuple[type[ProviderError], Blame], ...] = (
    (TransportError, "network"),
    (EndlessAnswer, "provider"),
    (UnaskedEncoding, "provider"),
)
_REFUSALS: tuple[tuple[type[ProviderError], Blame], ...] = (
    (AuthenticationFailed, "account"),
    (PermissionDenied, "account"),
    (QuotaExhausted, "account"),
    (RateLimited, "account"),
)


def hindrance(seen: Observation | Served) -> Blame:
    """Whom to blame for a fresh exchange that is no answer to what was asked; empty when it is one."""
    if seen.exchange.origin != "recorded" or seen.fault:
        return ""
    if _redirects(seen) and not seen.refuses:
        return "network"
    if _is_a_page(seen) and seen.refuses not in _BREAKDOWNS:
        return "network" if seen.exchange.status in _GATEWAYS else "provider"
    hindrances = _NO_ANSWERS if seen.refuses else (*_NO_ANSWERS, *_REFUSALS)
    return next((blame for kind, blame in hindrances if isinstance(seen.error, kind)), "")
