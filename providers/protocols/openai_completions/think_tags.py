"""Reasoning between <think> tags at the head of the content, split from it while it streams."""

from __future__ import annotations


def opened(text: str) -> str:
    """A whole text with its opening tag, which templates that begin the thoughts themselves leave out."""
    head, tag, _ = text.partition("</think>")
    return f"<think>{text}" if tag and "<think>" not in head else text


class ThinkTags:
    """Splits <think>…</think> at the head of the content from what follows it."""

    def __init__(self) -> None:
        self._held = ""
        self._wanted = "<think>"

    def split(self, text: str) -> tuple[str, str]:
        """``text`` as (reasoning, words); what may be part of a tag is held back."""
        if not self._wanted:
            return "", text
        held = self._held + text
        self._held = ""
        if self._wanted == "<think>":
            bare = held.lstrip()
            if bare.startswith("<think>"):
                self._wanted, held = "</think>", bare[len("<think>") :]
            elif "<think>".startswith(bare):
                self._held = held
                return "", ""
            else:
                self._wanted = ""
                return "", held
        thought, tag, rest = held.partition("</think>")
        if tag:
            self._wanted = ""
            return thought, rest
        kept = next(n for n in range(7, -1, -1) if thought.endswith("</think>"[:n]))
        self._held = thought[len(thought) - kept :]
        return thought[: len(thought) - kept], ""

    def rest(self) -> tuple[str, str]:
        """What is still held back, as (reasoning, words)."""
        held, self._held = self._held, ""
        return (held, "") if self._wanted == "</think>" else ("", held)
