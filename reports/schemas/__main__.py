"""Writes the JSON Schemas anew from the structs: ``python -m reports.schemas``."""

from __future__ import annotations

from pathlib import Path

from reports import files, schemas

for name, content in schemas.documents().items():
    files.replace(Path(__file__).parent / name, content)
