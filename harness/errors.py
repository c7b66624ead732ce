"""What can go wrong in the harness, and what a check finds.

HarnessError
  RecordingError          ours: the fixtures are not as they should be
    ExchangeNotFound
    ExchangeCorrupt
    UnredactedSecret
  UnmatchedRequest        replay: the request is not the recorded one
  SubjectError            the client under test
    NotInstalled  Crashed  Hung  Garbled
  UnusableInput           a path or an option that cannot be used
  UnusableMarker          what a marker of a page asks for
  UnusablePage            all faults of the pages together
  OutOfBudget             a live run may not spend more; nothing was asked
  NotAsked                a live run gave up a provider that cannot answer
EndlessAnswer             a RemoteProtocolError: an answer of a live run that was broken off
UnaskedEncoding           a RemoteProtocolError: an answer of a live run that was not read
Nonconformance            a finding, not a malfunction; becomes ``failed`` or ``warned``
Unjudgeable               the evidence does not allow a verdict; becomes ``skipped``
"""

from __future__ import annotations

from typing import Literal

from providers.errors import Explained, RemoteProtocolError, shown
from reports import escaping

Blame = Literal["", "provider", "subject", "account", "network", "model", "harness"]


class HarnessError(Explained):
    """The harness cannot do its work."""


class RecordingError(HarnessError):
    """A fixture is not as it should be."""


class ExchangeNotFound(RecordingError):
    """There is no such exchange."""


class ExchangeCorrupt(RecordingError):
    """An exchange's files do not fit together."""


class UnredactedSecret(RecordingError):
    """A fixture would hold a secret; nothing was written."""


class UnmatchedRequest(HarnessError):
    """The request is not the recorded one. ``pointer`` is where the two first differ."""

    def __init__(self, *, nearest: str, pointer: str, expected: object, seen: object) -> None:
        self.nearest = nearest
        self.pointer = pointer
        super().__init__(
            f"no recording answers this request; the nearest is {nearest}",
            expected=shown(expected),
            seen=seen,
            where=pointer,
            next_step="if the new request is right, build or record the fixture again",
        )


class SubjectError(HarnessError):
    """The client under test did not do its part."""


class NotInstalled(SubjectError):
    """The client under test is not installed."""


class Crashed(SubjectError):
    """The client under test ended by itself."""


class Hung(SubjectError):
    """The client under test did not answer in time."""


class Garbled(SubjectError):
    """The client under test wrote what is no line of the subject protocol."""


class UnusableInput(HarnessError):
    """A path or an option cannot be used."""


class UnusableMarker(HarnessError):
    """A marker asks for what nobody can give. ``faults`` holds every reason."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        self.faults = faults
        super().__init__("; ".join(faults))


class UnusablePage(HarnessError):
    """Pages have markers that cannot be used; nothing was written.

    ``faults`` holds every one of them as page, line from 1, and what is wrong.
    """

    def __init__(self, faults: tuple[tuple[str, int, str], ...]) -> None:
        self.faults = faults
        told = "; ".join(f"{shown(path)}:{line}: {what}" for path, line, what in faults)
        super().__init__(
            escaping.log(f"nothing was written, {len(faults)} fault(s): {told}"),
            next_step="mend the lines named above; docs/tables.md lists what a marker may say",
        )


class OutOfBudget(HarnessError):
    """The call may cost more than is left; nothing was asked."""


class NotAsked(HarnessError):
    """Nothing more was asked, because the provider could not answer."""


class EndlessAnswer(RemoteProtocolError):
    """The answer was too large or went on for too long, and was broken off."""


class UnaskedEncoding(RemoteProtocolError):
    """The answer came in an encoding that was not asked for, and was not read."""


def spelt(text: str) -> str:
    """``text`` with a lone surrogate, which UTF-8 has no bytes for, spelt out."""
    return text.encode("utf-8", "backslashreplace").decode()


def told_of(fault: BaseException) -> str:
    """The class and the words of an exception, which may be another's and have none that can be told."""
    try:
        words = str(fault)
    except (Exception, SystemExit) as inner:
        words = f"(its words raise {type(inner).__name__})"
    return spelt(f"{type(fault).__name__}: {words}")


class Nonconformance(AssertionError):
    """A requirement does not hold. ``blame`` empty means: the check's own."""

    def __init__(self, expected: str, observed: object, at: object = "", blame: Blame = "") -> None:
        self.expected = spelt(expected)
        self.observed = shown(observed)
        self.at = shown(at) if at != "" else ""
        self.blame: Blame = blame
        where = f" at {self.at}" if self.at else ""
        super().__init__(f"expected {self.expected}, observed {self.observed}{where}")


class Unjudgeable(Exception):
    """The evidence does not allow a verdict; the text is the reason."""
