"""What can be wrong with a report, as one tree.

    ReportError
      UnreadableReport        a line that is not what the format puts there
      EmptyReport             no line at all
      MissingFooter           the run was cut off, so nobody knows what is missing
      DuplicateResult         one identity, two answers
      UnknownReference        a result names what its file does not describe
      MixedVersions           runs that do not speak of the same things
      UnwritableReport        a file cannot be written; what was there before is untouched
      UnreadableHistory       a file is no history, or one of another version
      OutOfOrder              a run is older than the history's last one
      UnreadableExpectations  the file of expected failures is wrong

The message is made in one place from fields, which tests compare; what a file holds is made visible in it.
"""

from __future__ import annotations

from reports import escaping

_SHOWN = 200


class ReportError(Exception):
    """A report cannot be used."""

    def __init__(
        self, summary: str = "", *, expected: str = "", seen: str = "", where: str = "", next_step: str = ""
    ) -> None:
        self.summary = summary or (type(self).__doc__ or "").splitlines()[0].rstrip(".")
        self.expected = expected
        self.seen = seen if len(seen) <= _SHOWN else f"{seen[:_SHOWN]}… ({len(seen)} characters)"
        self.where = where
        self.next_step = next_step
        super().__init__(self.summary)

    def __str__(self) -> str:
        facts = (
            ("expected", self.expected),
            ("seen", self.seen),
            ("where", self.where),
            ("next", self.next_step),
        )
        told = [self.summary, *(f"{name}: {value}" for name, value in facts if value)]
        return escaping.log("; ".join(told))


class UnreadableReport(ReportError):
    """A report holds something that the format does not put there. ``line`` counts from 1; 0 is the file."""

    def __init__(self, path: str, line: int, *, expected: str, seen: str = "", next_step: str = "") -> None:
        self.path = path
        self.line = line
        where = f"{path}, line {line}" if line else path
        super().__init__(expected=expected, seen=seen, where=where, next_step=next_step)
        self.summary = "the report cannot be read"


class EmptyReport(ReportError):
    """A report has no content."""


class MissingFooter(ReportError):
    """A report has no footer: its run did not finish."""


class DuplicateResult(ReportError):
    """Two entries have one identity. ``identity`` is that of the result or exchange."""

    def __init__(self, identity: str, *, where: str = "", next_step: str = "") -> None:
        self.identity = identity
        super().__init__(f"two entries for {identity}", where=where, next_step=next_step)


class UnknownReference(ReportError):
    """A result names something that its file does not describe."""


class MixedVersions(ReportError):
    """The runs do not speak of the same things."""


class UnwritableReport(ReportError):
    """A report cannot be written; what was there before is untouched."""


class UnreadableHistory(ReportError):
    """A file is no history that can be read."""


class OutOfOrder(ReportError):
    """A run is older than the last one of the history."""


class UnreadableExpectations(ReportError):
    """The file of expected failures is wrong."""
