"""Tests of the tables of providers: the forms, the cells, what is refused, and hostile facts."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest

from harness import markers
from harness.errors import UnusableMarker
from harness.provider_tables import FACTS, FORMS, JUDGED, Tables
from providers import schema
from reports import baseline as baselines
from reports.baseline import Baseline, Entry

SYSTEMS = Path(__file__).parents[3] / "shared" / "systems"
DAY = dt.date(2026, 11, 20)
EMPTY = Baseline()


def found(*entries: tuple[str, str, str, str, Entry]) -> Baseline:
    """A baseline of (provider, protocol, scenario, check, entry)."""
    return Baseline({("wirecheck", p, w, s, "", c): entry for p, w, s, c, entry in entries})


def never() -> Baseline:
    """A baseline that nobody may ask for."""
    raise AssertionError("the results are not asked for")


def tables(baseline: Baseline = EMPTY) -> Tables:
    """The tables of our own catalog."""
    return Tables(schema.all(), lambda: baseline)


def cells(table: str) -> list[list[str]]:
    """The rows of a table, heading first."""
    rows = [line for line in table.splitlines() if line.startswith("|") and not line.startswith("| ---")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows]


def test_zots_form() -> None:
    """Each provider with a stored key has its variables with "or" between, and the key's name."""
    rows = cells(tables()("form=zot"))
    assert rows[0] == ["Provider", "Environment variable", "Stored key"]
    assert ["Google Gemini API", "`GEMINI_API_KEY` or `GOOGLE_API_KEY`", "`google`"] in rows
    assert not [row for row in rows if "AWS" in row[1]]


def test_pis_form() -> None:
    """Further values without which a provider cannot be asked stand beside the key."""
    rows = cells(tables()("form=pi"))
    assert rows[0] == ["Provider", "Environment Variable", "`auth.json` key"]
    needed = "`CLOUDFLARE_API_KEY` (+ `CLOUDFLARE_ACCOUNT_ID`, `CLOUDFLARE_GATEWAY_ID`)"
    assert ["Cloudflare AI Gateway", needed, "`cloudflare-ai-gateway`"] in rows


def test_gomodels_form() -> None:
    """What is needed and what is optional is told; there are signs for passed and for not offered."""
    passed = Entry("passed", "documented", DAY)
    baseline = found(
        ("groq", "openai-completions", "text", "text.basic", passed),
        ("ollama", "openai-completions", "text", "text.basic", Entry("failed", "documented", DAY)),
    )
    table = tables(baseline)("form=gomodel provider=groq,ollama,azure")
    head, azure, groq, ollama = cells(table)
    assert head[:3] == ["Provider", "Credential", "Example Model"]
    assert head[3:] == ["Chat", "`/responses`", "Embed", "Files", "Batches", "Passthru", "Guide"]
    assert table.splitlines()[1] == "| --- | --- | --- | :-: | :-: | :-: | :-: | :-: | :-: | --- |"
    assert azure[9] == "[Azure OpenAI](https://gomodel.enterpilot.io/docs/providers/azure)"
    assert groq[9] == "—"
    assert azure[1] == "`AZURE_API_KEY` + `AZURE_BASE_URL` (`AZURE_API_VERSION` optional)"
    assert groq[1] == "`GROQ_API_KEY` (`GROQ_BASE_URL` optional)"
    assert ollama[1] == "`OLLAMA_BASE_URL` (`OLLAMA_API_KEY` optional)"
    assert (azure[3], groq[3], ollama[3]) == ("… untested", "✅", "✗ failed")
    assert (groq[4], ollama[6]) == ("? unknown", "❌")
    assert "the weakest evidence is documented, the oldest of 2026-11-20" in table


@pytest.mark.parametrize("system", ["zot", "pi"])
def test_a_system_s_own_rows_are_there(system: str) -> None:
    """Every variable and stored key that the system's page has in its table is in ours, in one row."""
    page = SYSTEMS / f"{system}.txt"
    if not page.exists():
        pytest.skip("the systems' own pages are not beside the repository")
    text = re.sub(r"\|\n(?!\|)", "| ", page.read_text("utf-8"))
    theirs = re.findall(r"^\| [^|]+\| `?([A-Z_]{4,}[^|]*?)`? *\| `?([a-z-]+)`? ?\|?", text, re.MULTILINE)
    ours = cells(tables()(f"form={system}"))
    assert len(theirs) >= 25
    missing = [
        (variables, key)
        for variables, key in theirs
        if not any(
            row[2] == f"`{key}`"
            and all(f"`{name}`" in row[1] for name in re.findall(r"[A-Z_]{4,}", variables))
            for row in ours
        )
    ]
    assert missing == []


def test_gomodels_own_variables_are_there() -> None:
    """Every variable that GoModel's page has in its table is in ours."""
    page = SYSTEMS / "gomodel.txt"
    if not page.exists():
        pytest.skip("the systems' own pages are not beside the repository")
    theirs = page.read_text("utf-8").partition("ProviderCredential")[2].partition("Supported")[0]
    named = {*re.findall(r"[A-Z]+(?:_[A-Z]+)*_(?:API_KEY|BASE_URL|PROJECT|LOCATION|API_VERSION)", theirs)}
    ours = re.findall(r"`(\w+)`", " ".join(row[1] for row in cells(tables()("form=gomodel"))))
    assert len(named) >= 20
    missing = {name for name in named if not name.endswith(tuple(ours))}  # the page runs its cells together
    assert missing == set()


def test_gomodels_guides_are_there() -> None:
    """The providers that have a guide on GoModel's page have one in ours, by the same name."""
    page = SYSTEMS / "gomodel.txt"
    if not page.exists():
        pytest.skip("the systems' own pages are not beside the repository")
    theirs = page.read_text("utf-8").partition("PassthruGuide")[2].partition("✅")[0].splitlines()
    rows = cells(tables()("form=gomodel"))[1:]
    ours = [re.sub(r"\[(.*)\].*", r"\1", row[-1]) for row in rows]
    titled = [name for name in ours if name != "—"]
    assert len(titled) == len(set(titled)) == 12
    assert all(any(line.endswith(name) and line != name for line in theirs) for name in titled)


def test_cells_come_from_results() -> None:
    """A cell has the worst that any endpoint has, and a result of another client does not count."""
    good, warned = Entry("passed", "recorded", DAY), Entry("warned", "documented", DAY)
    baseline = found(
        ("openai", "openai-completions", "text_stream", "stream.order", good),
        ("openai", "openai-completions", "tool_call", "tool.ids_unique", good),
        ("openai", "openai-completions", "tool_call", "tool.ids_present", warned),
    )
    theirs: baselines.Identity = ("litellm", "openai", "openai-completions", "vision", "", "vision.sent")
    table = tables(Baseline({**baseline.entries, theirs: Entry("failed")}))
    rows = cells(table("columns=id,streaming,vision provider=openai"))
    assert rows[1] == ["`openai`", "✓ passed", "… untested"]


def test_claims_are_said_to_be_claims() -> None:
    """With source=claims no result is read, and the line below the table says that nothing was tested."""
    table = Tables(schema.all(), never)(
        "columns=id,streaming,embeddings,chat source=claims provider=groq,deepseek"
    )
    assert cells(table)[1:] == [
        ["`deepseek`", "claimed", "– not offered", "claimed"],
        ["`groq`", "claimed", "? unknown", "claimed"],
    ]
    assert "nothing here was tested" in table


def test_the_committed_results_are_shown() -> None:
    """From the baseline of this repository the widest table has a row for each provider."""
    read = baselines.read(Path(baselines.__file__).parent / "data")
    facts = [name for name, fact in FACTS.items() if not fact.of_system]
    table = tables(read)(f"columns={','.join((*facts, *JUDGED))}")
    rows = cells(table)
    assert {len(row) for row in rows} == {len(facts) + len(JUDGED)}
    assert len(rows) == len([*schema.all()]) + 1


@pytest.mark.parametrize("system", ["zot", "pi", "mayros", "zeroclaw", "gomodel", "pi@newest"])
def test_a_system_s_words(system: str) -> None:
    """Ids and variables are the client system's, in any order that is asked for."""
    rows = cells(
        Tables(schema.all(), never)(f"system={system} columns=id,env,login,auth_key,base_url sort=env")
    )
    assert len(rows) > 10
    assert [row[1].strip("`").casefold() for row in rows[1:]] == sorted(
        row[1].strip("`").casefold() for row in rows[1:]
    )


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("columns=id,nope,nope", ("unknown column nope", "column nope stands twice")),
        ("form=emacs system=vim", ("unknown form emacs; known: zot, pi, gomodel", "unknown system vim")),
        ("sort=streaming source=rumour", ("unknown sort streaming", "unknown source rumour")),
        ("colums=id columns", ("unknown option colums=id", "unknown option columns")),
        ("form=zot form=pi", ("option form is told twice",)),
        ("columns=id,login", ("column login is a client system's",)),
        ("provider=nobody-*", ("no provider matches nobody-*",)),
        ("system=mayros provider=nobody-*", ("no provider of mayros matches nobody-*",)),
        (
            "system=mayros form=pi provider=groq",
            ("form shows none of the 1 providers of mayros that match groq",),
        ),
        ("columns=\x1b[2J|", ("unknown column",)),
        ("columns=", ("unknown option columns=",)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_refused(options: str, told: tuple[str, ...]) -> None:
    """Everything that is wrong in a marker is told at once, with what is known."""
    with pytest.raises(UnusableMarker) as caught:
        tables()(options)
    assert len(caught.value.faults) == len(told)
    for fault, part in zip(caught.value.faults, told, strict=True):
        assert part in fault
        assert fault.isprintable()


HOSTILE = (
    "a | b",
    "`code` | \\",
    "<script>alert(1)</script>",
    "<!-- /wirecheck:providers -->",
    "\n<!-- /wirecheck:providers -->\n",
    "[x](javascript:alert)",
    "![x](https://example.org/x.png)",
    "\x1b[2J\u202e\u2028",
    "**bold** & # *",
)


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_hostile_facts_stay_in_their_cell(text: str) -> None:
    """A name, model or address with Markdown, HTML, a marker or line ends in it is one harmless cell."""
    groq = schema.get("groq")
    endpoint = groq.endpoints[0].model_copy(update={"base_url": text})
    bad = groq.model_copy(
        update={
            "name": text,
            "docs": f"https://{text}",
            "endpoints": (endpoint,),
            "models": (groq.models[0].model_copy(update={"id": text}),),
        }
    )
    options = "columns=id,name,base_url,model,docs,kind"
    page = f"<!-- wirecheck:providers {options} -->\n<!-- /wirecheck:providers -->\n"
    made = markers.filled(page, Tables([bad], never))
    rows = cells(made)
    assert [len(row) for row in rows] == [6, 6]
    assert rows[1][-1] == "hosted"
    assert markers.scan(made)[0] == [markers.Block(1, 7, options)]
    outside = re.sub(r"(?<!\\)`[^`]*`", "", rows[1][1])
    assert not re.search(r"<[a-z!]|(?<!\\)\]\(|(?<!\\)!\[", outside)
    assert made.replace("\n", "").isprintable()


def test_every_form_is_filled_again_unchanged() -> None:
    """A page with every form is the same after a second time."""
    page = "".join(
        f"<!-- wirecheck:providers form={form} -->\n<!-- /wirecheck:providers -->\n" for form in FORMS
    )
    once = markers.filled(page, tables())
    assert markers.filled(once, tables()) == once
    assert once.count("\n| --- |") == len(FORMS)
