"""What is wrong is told with its place, and no message shows a secret."""

from collections.abc import Callable
from typing import Any

import pytest

from providers.dialects import DIALECTS, config_text, values
from providers.dialects.resolved import Command, File, Given
from providers.errors import DialectFault

SECRET = "sk-canary-0123456789abcdef"


@pytest.mark.parametrize(
    ("parse", "text", "place"),
    [
        pytest.param(config_text.strict_json, '{\n "a": }', "line 2 column 7", id="json"),
        pytest.param(config_text.commented_json, '{ // x\n "a": }', "line 2 column 7", id="json-comments"),
        pytest.param(config_text.json5_text, "{a: 1,\n b: }", "line 2 column 5", id="json5"),
        pytest.param(config_text.toml, 'a = 1\nb = = "x"', "line 2 column 5", id="toml"),
        pytest.param(config_text.yaml_text, "a: 1\nb: [1,\n", "line 3 column 1", id="yaml"),
        pytest.param(config_text.yaml_text, "a: 1\na: 2\n", "line 2 column 1", id="yaml-name-twice"),
    ],
)
def test_broken_text_is_told_with_line_and_column(
    parse: Callable[[str, bytes], Any], text: str, place: str
) -> None:
    """The fault names the file, the line and the column."""
    with pytest.raises(DialectFault) as raised:
        parse("conf", text.encode())
    assert raised.value.category == "parse_error"
    assert raised.value.where.startswith(f"conf {place}")


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (config_text.strict_json, f'{{"key": "{SECRET}" "x"}}'),
        (config_text.commented_json, f'{{"key": {SECRET}}}'),
        (config_text.json5_text, f"{{key: {SECRET}}}"),
        (config_text.toml, f"key = {SECRET}"),
        (config_text.toml, f'"{SECRET}" = 1\n"{SECRET}" = 2'),
        (config_text.yaml_text, f"key: [{SECRET}"),
    ],
    ids=["json", "json-comments", "json5", "toml", "toml-name-twice", "yaml"],
)
def test_no_parse_fault_shows_the_text(parse: Callable[[str, bytes], Any], text: str) -> None:
    """A secret in a broken file is in no message."""
    with pytest.raises(DialectFault) as raised:
        parse("conf", text.encode())
    assert SECRET not in str(raised.value)


@pytest.mark.parametrize("parse", [config_text.strict_json, config_text.toml, config_text.yaml_text])
def test_bytes_that_are_no_utf8_are_refused(parse: Callable[[str, bytes], Any]) -> None:
    """The fault tells the byte."""
    with pytest.raises(DialectFault, match="no UTF-8 at byte 2"):
        parse("conf", b"ab\xff")


def _world(path: str, text: str, mode: int = 0o600, **told: Any) -> Given:
    return Given(files={path: File(text.encode(), mode)}, **told)


@pytest.mark.parametrize(
    ("dialect", "path", "provider"),
    [
        ("zot", "auth.json", "groq"),
        ("pi@newest", "auth.json", "groq"),
        ("mayros", "mayros.json", "groq"),
        ("zeroclaw", "config.toml", "groq.a"),
        ("gomodel", "config.yaml", "groq"),
    ],
)
def test_a_broken_file_is_a_typed_fault(dialect: str, path: str, provider: str) -> None:
    """Each system refuses a broken file of its own, and the secret in it is not shown."""
    resolved = DIALECTS[dialect].resolve(_world(path, f'{{"a": "{SECRET}" ['), provider, None)
    assert resolved.fault is not None
    assert resolved.fault.category in ("parse_error", "store_unreadable")
    assert SECRET not in str(resolved.fault)


def test_a_broken_file_is_no_matter_for_a_source_before_it() -> None:
    """The flag wins, and the broken file behind it is not an error."""
    world = _world("auth.json", "{", flags={"api_key": "canary"})
    resolved = DIALECTS["zot"].resolve(world, "groq", None)
    assert (resolved.value, resolved.fault) == ("canary", None)


@pytest.mark.parametrize("dialect", ["zot", "pi"])
def test_a_file_that_others_may_read_is_warned_about(dialect: str) -> None:
    """A world-readable auth file is used, with a warning."""
    text = '{"openai": {"type": "api_key", "key": "canary", "api_key": "canary"}}'
    resolved = DIALECTS[dialect].resolve(_world("auth.json", text, 0o644), "openai", None)
    assert resolved.value == "canary"
    assert [warning.category for warning in resolved.warnings] == ["readable_by_others"]


def test_a_secret_in_zots_models_file_is_told_and_not_shown() -> None:
    """A key in models.json is never used; the warning names its place only."""
    text = f'{{"providers": {{"acme": {{"baseUrl": "https://a.test", "apiKey": "{SECRET}"}}}}}}'
    resolved = DIALECTS["zot"].resolve(_world("models.json", text), "acme", None)
    assert [(w.category, w.path) for w in resolved.warnings] == [("secret_ignored", "providers.acme.apiKey")]
    assert SECRET not in repr(resolved)


@pytest.mark.parametrize(
    ("path", "text", "dialect", "provider"),
    [
        ("config.toml", "[providers.models.groq.a]\nmodel = 7\n", "zeroclaw", "groq.a"),
        ("config.toml", "[providers]\nmodels = 7\n", "zeroclaw", "groq.a"),
        ("config.yaml", "providers: [1]\n", "gomodel", "groq"),
        ("config.yaml", "providers: {groq: text}\n", "gomodel", "groq"),
        ("mayros.json", "[1]", "mayros", "groq"),
    ],
    ids=["toml field", "toml table", "yaml list", "yaml entry", "json5 list"],
)
def test_a_wrong_type_is_a_schema_error(path: str, text: str, dialect: str, provider: str) -> None:
    """A value of a wrong type is refused with its path."""
    fault = DIALECTS[dialect].resolve(_world(path, text), provider, None).fault
    assert fault is not None
    assert fault.category == "schema_error"


def test_two_instances_with_one_name_are_refused() -> None:
    """A provider named twice in config.yaml stops the start."""
    text = "providers:\n  groq: {type: groq, api_key: a}\n  groq: {type: xai, api_key: b}\n"
    fault = DIALECTS["gomodel"].resolve(_world("config.yaml", text), "groq", None).fault
    assert fault is not None
    assert fault.where == "config.yaml line 3 column 3"


def test_an_unknown_field_is_warned_about() -> None:
    """ZeroClaw's profile may hold fields nobody knows; they are told and left alone."""
    world = _world("config.toml", '[providers.models.groq.a]\napi_key = "canary"\nmood = "x"\n')
    resolved = DIALECTS["zeroclaw"].resolve(world, "groq.a", None)
    assert resolved.value == "canary"
    assert [(w.category, w.name) for w in resolved.warnings] == [("unknown_field", "mood")]


def _refused(command: Command) -> str | None:
    raise AssertionError(f"a losing command was run: {command}")


@pytest.mark.parametrize("dialect", ["pi", "pi@newest"])
def test_a_losing_command_is_not_run(dialect: str) -> None:
    """The flag wins; the commands of auth.json and models.json behind it do not run."""
    models = '{"providers": {"groq": {"baseUrl": "https://a.test", "apiKey": "!x"}}}'
    world = Given(
        flags={"api_key": "canary"},
        environ={"GROQ_API_KEY": "other"},
        files={
            "auth.json": File(b'{"groq": {"type": "api_key", "key": "!x"}}'),
            "models.json": File(models.encode()),
        },
        run=_refused,
    )
    resolved = DIALECTS[dialect].resolve(world, "groq", None)
    assert resolved.value == "canary"
    assert [lost.source for lost in resolved.lost].count("models_json") == 1


def _no_refresh(provider: str, entry: Any) -> str | None:
    raise AssertionError("a losing token was refreshed")


def test_a_losing_token_is_not_refreshed() -> None:
    """An expired token behind a variable stays as it is."""
    text = b'{"kimi": {"oauth": {"access_token": "t", "expiry": "2001-01-01T00:00:00Z"}}}'
    world = Given(
        environ={"KIMI_API_KEY": "canary"},
        files={"auth.json": File(text)},
        refresh=_no_refresh,
        now_s=2e9,
    )
    assert DIALECTS["zot"].resolve(world, "kimi", None).value == "canary"


def test_a_missing_variable_is_named_without_its_neighbours() -> None:
    """The error of an unset variable holds its name and place, and nothing else of the text."""
    with pytest.raises(DialectFault) as raised:
        values.upper_braces(f"{SECRET}-${{TEAM_KEY}}", {}, "a.b")
    assert (raised.value.name, raised.value.path) == ("TEAM_KEY", "a.b")
    assert SECRET not in str(raised.value)
