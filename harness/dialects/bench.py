"""One dialect vector's world: its home on disk, what is given, what is asked, and what was left there.

What an operation does is in ``operations``; nothing is judged here.
"""

from __future__ import annotations

import json
import os
import stat
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from providers.dialects import Dialect, files
from providers.dialects.resolved import Given, Warned
from providers.errors import DialectFault

Outcome: TypeAlias = dict[str, Any]
MOCK = "http://mock.invalid"


class Bench:
    """One vector's world: its home on disk, what is given, and what is asked."""

    def __init__(
        self, dialect: Dialect, given: Mapping[str, Any], when: Mapping[str, Any], folder: Path
    ) -> None:
        self.dialect = dialect
        self.rules: Any = dialect.rules
        self.home = folder / "home"
        self.state = self.home / dialect.state
        self.raw = self.filled(given)
        self.when = self.filled(when)
        self.so_far: Outcome = {}
        self.run = files.Runner()
        self._lay_out(given)
        self.given = Given(
            flags=self.raw.get("cli") or {},
            environ=self.raw.get("env") or {},
            files=files.Folder(self.state, self.home),
            store=self.raw.get("store") or {},
            builtin_models=tuple(self.raw.get("builtin_models") or ()),
            live_models=tuple(self.raw.get("live_models") or ()),
            run=self.run,
            now_s=time.time(),
        )

    def filled(self, value: Any) -> Any:
        """``value`` with {{HOME}} and {{MOCK}} replaced in each text and name."""
        if isinstance(value, str):
            return value.replace("{{HOME}}", str(self.home)).replace("{{MOCK}}", MOCK)
        if isinstance(value, Mapping):
            return {self.filled(key): self.filled(item) for key, item in value.items()}
        return [self.filled(item) for item in value] if isinstance(value, list) else value

    def _lay_out(self, given: Mapping[str, Any]) -> None:
        self.home.mkdir(parents=True)
        if not given.get("no_home"):
            self.state.mkdir(parents=True, exist_ok=True)
        for name, content in (self.raw.get("files") or {}).items():
            path = self._inside(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
            path.chmod(0o600)
        for name, mode in (self.raw.get("modes") or {}).items():
            os.chmod(self._inside(name), int(mode, 8))

    def _inside(self, name: str) -> Path:
        """The path of a file in the home. Raises DialectFault for one that leads out of it."""
        path = self.state / name
        if not Path(os.path.normpath(path)).is_relative_to(self.home):
            raise DialectFault("unusable_vector", f"{name} is outside the vector's home", path=name)
        return path

    @property
    def provider(self) -> str:
        """The provider the operation is about; empty when it names none."""
        return str(self.when.get("provider") or "")

    @property
    def model(self) -> str | None:
        """The model the operation is about."""
        found = self.when.get("model")
        return found if isinstance(found, str) else None

    def content(self, name: str) -> Any:
        """The JSON in a file of the state directory, its text when it is none, None when it is absent."""
        try:
            text = (self.state / name).read_text("utf-8")
        except FileNotFoundError:
            return None
        try:
            return json.loads(text)
        except ValueError:
            return text

    def mode(self, name: str) -> int | None:
        """The permission bits of a file or folder; None when it is absent."""
        path = self.state / name
        return stat.S_IMODE(path.stat().st_mode) if path.exists() else None

    def holds(self, pointer: str) -> bool:
        """Whether ``file#/json/pointer`` leads to something."""
        name, _, path = pointer.partition("#")
        found = self.content(name)
        for step in filter(None, path.split("/")):
            if not isinstance(found, Mapping) or step not in found:
                return False
            found = found[step]
        return found is not None

    @staticmethod
    def told(fault: DialectFault) -> dict[str, Any]:
        """A fault as the format writes it."""
        fields = ("category", "scope", "provider", "name", "path")
        told = {name: getattr(fault, name) for name in fields if getattr(fault, name) is not None}
        return {**told, "message": fault.summary}


def warned(found: tuple[Warned, ...]) -> list[dict[str, Any]]:
    return [msgspec.to_builtins(warning) for warning in found]
