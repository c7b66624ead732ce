"""The command line of the dialects: what it shows, what it hides, how it ends."""

import json
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from harness.commands.dialects import app
from harness.dialects.checks import DIALECT_CHECKS, run
from harness.dialects.checks.run import Cell
from providers import schema
from tests.miniatures.dialects import environment_first

KEY = "gsk_canary_0123456789abcdef"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home directory with pi's auth file and an empty environment file."""
    state = tmp_path / ".pi" / "agent"
    state.mkdir(parents=True)
    path = state / "auth.json"
    path.write_text(json.dumps({"groq": {"type": "api_key", "key": KEY}}))
    path.chmod(0o600)
    (tmp_path / "env").write_text('# mine\nexport GROQ_API_KEY="canary-env"\n')
    return tmp_path


def _run(home: Path, *words: str, answer: str | None = None) -> tuple[int, str]:
    told = [*words, "--home", str(home), "--env-file", str(home / "env")]
    result = CliRunner().invoke(app, told, input=answer)
    return result.exit_code, result.output


def test_resolve_tells_the_order_and_masks_the_value(home: Path) -> None:
    """The winner, each loser and why are shown; the key is not."""
    code, output = _run(home, "resolve", "--dialect", "pi", "--provider", "groq")
    assert code == 0
    assert "used  auth_file    auth.json#/groq" in output
    assert "GROQ_API_KEY: outranked by auth_file" in output
    assert KEY not in output


def test_resolve_as_json(home: Path) -> None:
    """The same as JSON, masked too."""
    code, output = _run(home, "resolve", "--dialect", "pi", "--provider", "groq", "--json")
    assert code == 0
    assert json.loads(output)["source"] == "auth_file"
    assert KEY not in output


def test_resolve_with_a_flag(home: Path) -> None:
    """A key on the command line wins as the system says."""
    _, output = _run(home, "resolve", "--dialect", "pi", "--provider", "groq", "--api-key", "x", "--json")
    assert json.loads(output)["source"] == "cli"


def test_resolve_without_a_credential_ends_with_one(home: Path) -> None:
    """No credential is a finding."""
    code, output = _run(home, "resolve", "--dialect", "zot", "--provider", "mistral")
    assert code == 1
    assert "missing_credential" in output


def test_an_unknown_dialect_ends_with_two(home: Path) -> None:
    """An input that cannot be used is told apart from a finding."""
    code, output = _run(home, "resolve", "--dialect", "nobody", "--provider", "x")
    assert code == 2
    assert "no dialect nobody" in output


def test_a_broken_env_file_is_told_without_its_text(home: Path) -> None:
    """The line is named, not shown."""
    (home / "env").write_text(f"A=1\n{KEY}\n")
    code, output = _run(home, "resolve", "--dialect", "pi", "--provider", "groq")
    assert code == 2
    assert "line 2" in output
    assert KEY not in output


def test_models_shows_the_origin_of_each_field(home: Path) -> None:
    """A user's name and the catalog's limits stand side by side."""
    state = home / ".local" / "state" / "zot"
    state.mkdir(parents=True)
    models = {"providers": {"groq": {"models": [{"id": "llama-3.1-8b-instant", "name": "Mine"}]}}}
    (state / "models.json").write_text(json.dumps(models))
    code, output = _run(home, "models", "--dialect", "zot", "--json")
    found = {(m["provider"], m["id"]): m["fields"] for m in json.loads(output)["models"]}
    fields = found["groq", "llama-3.1-8b-instant"]
    assert code == 0
    assert fields["name"] == {"value": "Mine", "origin": "user"}
    assert fields["contextWindow"]["origin"] == "builtin"


@pytest.mark.parametrize("form", [(), ("--json",)])
@pytest.mark.parametrize(
    "url",
    [
        "https://user:canary-pw@mock.invalid/v1",
        "https://mock.invalid/v1?api-version=7&sig=canary-sig",
        "https://mock.invalid/v1?canary-bare#canary-end",
        "!echo https://x:canary@mock.invalid",
        "see https://x:canary@mock.invalid",
        "x:canary@mock.invalid/v1",
        "https://x:canary@[mock.invalid",
    ],
)
def test_models_shows_no_secret_of_a_url_or_a_free_table(home: Path, url: str, form: tuple[str, ...]) -> None:
    """Names stay; user information, parameters and what is in a free table are hidden."""
    fields = f'uri = "{url}"\nmodel = "m"\nprovider_extra = {{ plan = "canary-plan", deep = ["canary-x"] }}'
    state = home / ".zeroclaw"
    state.mkdir()
    (state / "config.toml").write_text(f"[providers.models.custom.mine]\n{fields}\nmax_tokens = 77\n")
    code, output = _run(home, "models", "--dialect", "zeroclaw", *form)
    assert code == 0
    assert "canary" not in output
    assert "plan" in output
    assert "77" in output
    assert ("api-version=7" in output) == ("api-version=7" in url)


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_models_of_gomodel_names_the_variables(home: Path, form: tuple[str, ...]) -> None:
    """The variable that lists a model and the one that moves its provider are named."""
    lines = ("XAI_API_KEY=canary", "XAI_MODELS=grok-x", "XAI_BASE_URL=https://u:canary@mock.invalid/v1")
    (home / "env").write_text("\n".join(lines))
    code, output = _run(home, "models", "--dialect", "gomodel", *form)
    assert code == 0
    assert "XAI_MODELS" in output
    assert "XAI_BASE_URL" in output
    assert "canary" not in output


def test_models_hides_the_values_of_compat(home: Path) -> None:
    """pi's compat is a free table: its names are shown, its texts are not."""
    entry = {"compat": {"apiSecret": "canary-1", "note": "canary-2", "supportsStore": False}}
    (home / ".pi" / "agent" / "models.json").write_text(json.dumps({"providers": {"groq": entry}}))
    code, output = _run(home, "models", "--dialect", "pi")
    assert code == 0
    assert "canary" not in output
    assert "'supportsStore': False" in output


def test_login_and_logout_keep_the_other_entries(home: Path) -> None:
    """A key is stored privately in the system's schema and removed again."""
    path = home / ".pi" / "agent" / "auth.json"
    code, output = _run(home, "login", "zai", "--dialect", "pi", answer="canary-new\n")
    assert code == 0
    assert "canary-new" not in output
    assert json.loads(path.read_text())["zai"] == {"type": "api_key", "key": "canary-new"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert _run(home, "logout", "zai", "--dialect", "pi") == (0, "removed zai\n")
    assert list(json.loads(path.read_text())) == ["groq"]
    assert _run(home, "logout", "zai", "--dialect", "pi") == (0, "nothing was stored for zai\n")


def test_login_shows_instructions_for_a_cloud_provider(home: Path) -> None:
    """Where the system shows instructions nothing is asked for and nothing written."""
    code, output = _run(home, "login", "azure-openai-responses", "--dialect", "zot")
    assert code == 0
    assert "AZURE_OPENAI_BASE_URL" in output
    assert not (home / ".local").exists()


@pytest.mark.parametrize(
    ("dialect", "provider", "state"),
    [
        ("zot", "openai-codex", ".local/state/zot"),
        ("zot@newest", "codex", ".local/state/zot"),
        ("pi", "openai-codex", ".pi/agent"),
        ("pi", "github-copilot", ".pi/agent"),
    ],
)
def test_a_key_is_refused_where_only_tokens_are_read(
    home: Path, dialect: str, provider: str, state: str
) -> None:
    """A key that nobody reads is not stored, and what is stored stays byte for byte."""
    path = home / state / "auth.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    before = json.dumps({"openai": {"api_key": "canary-key", "oauth": {"access_token": "canary-token"}}})
    path.write_text(before)
    code, output = _run(home, "login", provider, "--dialect", dialect, answer="canary-new\n")
    assert code == 2
    assert "takes no key" in output
    assert "canary" not in output
    assert path.read_text() == before


def test_a_key_leaves_the_token_of_another_provider(home: Path) -> None:
    """OpenAI's key does not log out OpenAI Codex, whose token lies in the same entry."""
    path = home / ".local" / "state" / "zot" / "auth.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"openai": {"oauth": {"access_token": "canary-token"}}}))
    assert _run(home, "login", "openai", "--dialect", "zot", answer="canary-new\n")[0] == 0
    stored = json.loads(path.read_text())["openai"]
    assert stored == {"oauth": {"access_token": "canary-token"}, "api_key": "canary-new"}


def test_a_key_that_is_no_text_is_refused(home: Path) -> None:
    """Broken bytes end with a message, and nothing is stored."""
    path = home / ".pi" / "agent" / "auth.json"
    before = path.read_bytes()
    told = ["login", "zai", "--dialect", "pi", "--home", str(home), "--env-file", str(home / "env")]
    result = CliRunner().invoke(app, told, input=b"k\xff\n")
    assert result.exit_code == 2
    assert "no UTF-8 text" in result.output
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("dialect", "name"),
    [("pi@newest", ".pi/agent/auth.json"), ("pi", ".pi/agent/auth.json"), ("mayros", ".mayros/mayros.json")],
)
def test_resolve_with_a_broken_file_ends_with_two(home: Path, dialect: str, name: str) -> None:
    """A file that cannot be read is told apart from a credential that is not there."""
    path = home / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{")
    assert _run(home, "resolve", "--dialect", dialect, "--provider", "mistral")[0] == 2


def test_an_oauth_login_needs_its_addresses(home: Path) -> None:
    """A client id alone is not enough to log in."""
    code, output = _run(home, "login", "anthropic", "--dialect", "pi", "--client-id", "ours")
    assert code == 2
    assert "--token-url" in output


def test_login_is_refused_where_there_is_no_auth_file(home: Path) -> None:
    """Only zot and pi publish the schema of an auth file."""
    code, _ = _run(home, "login", "groq", "--dialect", "gomodel", answer="k\n")
    assert code == 2


@pytest.mark.parametrize(("credential", "code"), [("canary", 0), ("other", 1)])
def test_verify_ends_as_the_vectors_hold(tmp_path: Path, credential: str, code: int) -> None:
    """0 when all hold, 1 when one does not; the report is published JSON."""
    vector = {
        "id": "pi-x-1",
        "rule": "P3",
        "profile": "both",
        "given": {"env": {"GROQ_API_KEY": "canary"}},
        "when": {"op": "resolve_credential", "provider": "groq"},
        "expect": {"credential": {"value": credential}},
    }
    path = tmp_path / "pi.json"
    path.write_text(json.dumps([vector]))
    result = CliRunner().invoke(app, ["dialect", "verify", str(path), "--json"])
    assert result.exit_code == code
    assert json.loads(result.output)["total"] == 1


def test_verify_refuses_a_file_without_vectors(tmp_path: Path) -> None:
    """2 when a file cannot be used."""
    result = CliRunner().invoke(app, ["dialect", "verify", str(tmp_path / "none.json")])
    assert result.exit_code == 2


def test_verify_of_nothing_ends_with_two(tmp_path: Path) -> None:
    """A file of no vectors proves nothing."""
    path = tmp_path / "pi.json"
    path.write_text("[]")
    result = CliRunner().invoke(app, ["dialect", "verify", str(path)])
    assert result.exit_code == 2
    assert "no vector was found" in result.output


def _check(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["dialect", "check", *words])
    return result.exit_code, result.output


def test_check_runs_the_cells_that_are_selected() -> None:
    """Dialect, provider and check are globs; the counts are those of the cells."""
    code, output = _check("--dialect", "pi*", "--provider", "groq", "--check", "auth.*", "--json")
    told = json.loads(output)
    assert code == 0
    assert told["counts"] == {"passed": len(told["results"])}
    assert {result["subject"] for result in told["results"]} == {"pi", "pi@newest"}
    assert {result["provider"] for result in told["results"]} == {"groq"}


def test_check_of_nothing_ends_with_two() -> None:
    """A selection that matches nothing is an input that cannot be used."""
    assert _check("--dialect", "nobody")[0] == 2


def test_check_tells_a_failure_and_ends_with_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A finding is named with its cell and its reason."""
    broken = Cell(environment_first(), DIALECT_CHECKS["auth.precedence"])
    monkeypatch.setattr(run, "select", lambda *globs: [broken])
    code, output = _check()
    assert code == 1
    assert "failed   pi/groq/auth.precedence: expected" in output


def test_what_a_terminal_acts_upon_is_escaped(home: Path) -> None:
    """A key of several lines and a model's name with an escape sequence change no line of the output."""
    state = home / ".pi" / "agent"
    entry = {"type": "api_key", "key": "a\nb\u001b[31m-and-much-more-of-it"}
    (state / "auth.json").write_text(json.dumps({"groq": entry}))
    override = {"modelOverrides": {schema.get("groq").models[0].id: {"name": "\u001b[2Jgone"}}}
    (state / "models.json").write_text(json.dumps({"providers": {"groq": override}}))
    for command in (["resolve", "--provider", "groq"], ["models"]):
        _, output = _run(home, *command, "--dialect", "pi")
        assert "\u001b" not in output
        assert "\\x1b" in output or "a\\nb" in output


def test_a_piped_key_is_stored(home: Path) -> None:
    """The first line of what is piped in is the key."""
    code, output = _run(home, "login", "mistral", "--dialect", "pi", answer=f"{KEY}\nmore\n")
    assert (code, KEY in output) == (0, False)
    stored = json.loads((home / ".pi" / "agent" / "auth.json").read_text())
    assert stored["mistral"]["key"] == KEY


@pytest.mark.parametrize("command", [["resolve", "--provider", "groq"], ["models"], ["logout", "groq"]])
def test_a_home_that_is_not_there_ends_with_two(tmp_path: Path, command: list[str]) -> None:
    """A mistyped directory is no empty one."""
    told = [*command, "--dialect", "pi", "--home", str(tmp_path / "nope")]
    result = CliRunner().invoke(app, told)
    assert result.exit_code == 2
    assert "no directory" in result.output


def test_login_writes_through_a_link(home: Path) -> None:
    """An auth file that is a link stays one, and what it leads to holds the key."""
    path, kept = home / ".pi" / "agent" / "auth.json", home / "dotfiles.json"
    path.rename(kept)
    path.symlink_to(kept)
    assert _run(home, "login", "zai", "--dialect", "pi", answer="canary-new\n")[0] == 0
    assert path.is_symlink()
    assert set(json.loads(kept.read_text())) == {"groq", "zai"}


def test_login_refuses_links_in_a_circle(home: Path) -> None:
    """A link that leads to itself is told."""
    path = home / ".pi" / "agent" / "auth.json"
    path.unlink()
    path.symlink_to(path)
    code, output = _run(home, "login", "zai", "--dialect", "pi", answer="canary-new\n")
    assert code == 2
    assert "leads nowhere" in output
