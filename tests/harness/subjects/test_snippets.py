"""The lines of a driver that call its client."""

from __future__ import annotations

import pytest

from harness.subjects import snippets
from harness.subjects.install import DRIVERS
from harness.subjects.table import SUBJECTS

PYTHON = """
def chat(run):
    return Client().chat(**shapes.chat(run))

def other(run):
    return None

def made(word):
    return lambda run: word

serve(
    package="c",
    protocols={"openai-completions": chat, "mistral-chat": lambda run: 1, "ollama-chat": made("x")},
    errors=(),
)
"""
NODE = """
const before = 1;
const chat = async (run) => {
  if (run.stream) {
    return events(run);
  }

  return turn(run);
};
const short = (run) => turn(run);
const long = (run) =>
  turn(run,
    { a: 1 });

async function* said(run) {
  yield 1;
}
serve({
  package: "c",
  protocols: {
    "openai-completions": chat, "mistral-chat": short, "cohere-chat": long, "ollama-chat": said,
  },
});
"""


DRIVEN = """
drive({
  models: { "mistral-chat": (run) => create(run.key)(run.model) },
});
"""
NAMED = """
const ask = (run) => complete(run);
serve({ protocols: Object.fromEntries(Object.keys(API).map((name) => [name, ask])) });
"""


@pytest.mark.parametrize(
    ("language", "source", "protocol", "begins", "ends"),
    [
        ("python", PYTHON, "openai-completions", "def chat(run):", "shapes.chat(run))"),
        ("python", PYTHON, "mistral-chat", "", ""),
        ("python", PYTHON, "ollama-chat", "def made(word):", "lambda run: word"),
        ("python", PYTHON, "no-such", "", ""),
        ("node", DRIVEN, "mistral-chat", "drive({", "});"),
        ("node", DRIVEN, "ollama-chat", "", ""),
        ("node", NAMED, "ollama-chat", "const ask =", "complete(run);"),
        ("node", NODE, "openai-completions", "const chat =", "return turn(run);\n};"),
        ("node", NODE, "mistral-chat", "const short =", "=> turn(run);"),
        ("node", NODE, "cohere-chat", "const long =", "{ a: 1 });"),
        ("node", NODE, "ollama-chat", "async function* said(", "yield 1;\n}"),
        ("node", NODE, "no-such", "", ""),
        ("ours", PYTHON, "openai-completions", "", ""),
    ],
)
def test_the_function_of_a_protocol_is_found(
    language: str, source: str, protocol: str, begins: str, ends: str
) -> None:
    """It is the whole function that ``serve`` names or calls, and nothing where there is none."""
    found = snippets.of(language, source, protocol)
    assert found.startswith(begins)
    assert found.endswith(ends)
    assert bool(found) is bool(begins)


@pytest.mark.parametrize(
    ("client", "protocol"), [("openai", "openai-responses"), ("groq-node", "openai-completions")]
)
def test_the_drivers_of_the_table_have_snippets(client: str, protocol: str) -> None:
    """A real driver's snippet calls its client."""
    row = SUBJECTS[client]
    found = snippets.of(row.language, (DRIVERS / row.driver).read_text("utf-8"), protocol)
    assert "run" in found
    assert ".create(" in found
