"""Exchange to faulty exchange, and what a correct client must make of it. Pure.

``apply`` of a fault returns None where the fault makes no sense for the exchange. The faulty exchange has
origin ``synthetic`` and keeps the source and date of the one it was made from. The faults are by topic in
the modules of this package; what is special to a protocol is in its grammar.
"""

from __future__ import annotations

from collections.abc import Mapping

from harness.faults import answers, content, delivery, syntax
from harness.faults.fault import Consumer, Fault, Verdict

__all__ = ["FAULTS", "Consumer", "Fault", "Verdict"]

FAULTS: Mapping[str, Fault] = {
    fault.name: fault for fault in (*delivery.FAULTS, *syntax.FAULTS, *content.FAULTS, *answers.FAULTS)
}
