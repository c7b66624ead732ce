"""Where a run looked: what its header's selection takes. It judges nothing.

A selection holds globs by kind of thing; a leading ``!`` excludes, and a kind that is absent takes
everything. Providers are those that the header describes, for a glob may have named an alias.
"""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase
from functools import cache

from reports.baseline import Identity
from reports.results import Header

_KINDS = {"protocols": 2, "scenarios": 3, "checks": 5}  # by place in an identity


def at(header: Header) -> Callable[[Identity], bool]:
    """Whether a run with ``header`` would have had a result of an identity, if there were one to have."""
    subjects = {subject.name for subject in header.subjects}
    providers = {provider.id for provider in header.providers}
    if "providers" not in header.selection:
        providers.add("")
    faults = header.selection.get("faults", ())
    globs = {place: header.selection.get(kind, ()) for kind, place in _KINDS.items()}

    def looked(identity: Identity) -> bool:
        return (
            identity[0] in subjects
            and identity[1] in providers
            and all(_takes(each, identity[place]) for place, each in globs.items())
            and (not identity[4] or _takes(faults, identity[4]))  # the undamaged case is always played
        )

    return looked


@cache
def _takes(globs: tuple[str, ...], name: str) -> bool:
    refused = any(fnmatchcase(name, glob[1:]) for glob in globs if glob.startswith("!"))
    wanted = [glob for glob in globs if not glob.startswith("!")]
    return not refused and (not wanted or any(fnmatchcase(name, glob) for glob in wanted))
