"""Rules that are about more than one step: time, order, sessions, names."""

import json

import msgspec
import pytest

from providers.dialects import DIALECTS, gomodel, mayros_models, zeroclaw
from providers.dialects.gomodel import Instance
from providers.dialects.resolved import File, Given
from providers.dialects.zeroclaw import Attempt
from providers.errors import DialectFault


def _refreshed(provider: str, entry: object) -> str | None:
    return "canary-new"


@pytest.mark.parametrize(
    ("dialect", "left_s", "expected"),
    [
        ("zot", 61, "canary-old"),
        ("zot", 59, "canary-new"),
        ("pi", 1, "canary-old"),
        ("pi", -1, "canary-new"),
        ("pi@newest", 301, "canary-old"),
        ("pi@newest", 299, "canary-new"),
    ],
)
def test_Z15_P37_a_token_is_refreshed_in_time(dialect: str, left_s: int, expected: str) -> None:
    """A token is used while it is valid and refreshed within the system's margin."""
    expiry_s = 1_800_000_000
    oauth = {"access_token": "canary-old", "expiry": "2027-01-15T08:00:00Z"}
    entry = {
        "type": "oauth",
        "access": "canary-old",
        "refresh": "r",
        "expires": expiry_s * 1000,
        "oauth": oauth,
    }
    world = Given(
        files={"auth.json": File(msgspec.json.encode({"anthropic": entry}))},
        refresh=_refreshed,
        now_s=expiry_s - left_s,
    )
    assert DIALECTS[dialect].resolve(world, "anthropic", None).value == expected


def test_C48_models_of_a_limited_profile_cool_down_together() -> None:
    """The newest ZeroClaw skips the other models of a rate limited profile; the documented one does not."""
    attempts = (Attempt("groq.a", "m1", "k"), Attempt("groq.a", "m2", "k"), Attempt("xai.b", "m", "j"))
    assert zeroclaw.after_rate_limit(zeroclaw.DEFAULT, attempts, 0) == attempts[1:]
    assert zeroclaw.after_rate_limit(zeroclaw.NEWEST, attempts, 0) == attempts[2:]


def test_G21_a_configured_model_is_listed_with_its_owner() -> None:
    """A configured model unknown upstream says what it is and whose."""
    entry = gomodel.model_entry(Instance(name="groq-lab", type="groq"), "m", 7)
    assert entry == {"id": "m", "object": "model", "owned_by": "groq", "created": 7}


def test_G34_a_session_keeps_its_key() -> None:
    """Requests of a session use one key, the others take turns."""
    keys = ("a", "b", "c")
    assert len({gomodel.pick_key(keys, "session-1", number) for number in range(9)}) == 1
    assert [gomodel.pick_key(keys, None, number) for number in range(4)] == ["a", "b", "c", "a"]


def test_G37_the_first_provider_keeps_the_bare_name() -> None:
    """A model of two providers is the first one's when no provider is named."""
    assert gomodel.bare_names({"groq": ["x", "y"], "xai": ["y", "z"]}) == {
        "x": "groq",
        "y": "groq",
        "z": "xai",
    }


def test_a_long_context_suffix_is_told_apart() -> None:
    """Xiaomi's [1m] asks for the long context of the model before it."""
    assert gomodel.context_variant("mimo-v2.5-pro[1m]") == ("mimo-v2.5-pro", True)
    assert gomodel.context_variant("mimo-v2.5-pro") == ("mimo-v2.5-pro", False)


@pytest.mark.parametrize("alias", ["Mine", "a__b", "_a", "a-b", "x" * 64])
def test_an_alias_of_the_file_is_checked(alias: str) -> None:
    """config.toml may name no alias that an override may not name (C10)."""
    content = f'[providers.models.custom."{alias}"]\nmodel = "m"\n'.encode()
    with pytest.raises(DialectFault) as raised:
        zeroclaw.load_config(zeroclaw.DEFAULT, Given(files={"config.toml": File(content)}))
    assert raised.value.category == "invalid_alias"


def test_a_reference_may_be_an_alias() -> None:
    """A reference without a slash is a configured alias first, whatever its case (M9)."""
    config = mayros_models.Config(
        document={"agents": {"defaults": {"models": {"groq/llama": {"alias": "Fast"}}}}}
    )
    assert str(mayros_models.aliased(config, "fAST", "zai")) == "groq/llama"
    assert str(mayros_models.aliased(config, "slow", "zai")) == "zai/slow"


@pytest.mark.parametrize("dialect", ["pi", "pi@newest"])
@pytest.mark.parametrize(
    ("entry", "output", "category"),
    [
        ({"type": "api_key", "key": "!canary"}, None, "command_failed"),
        ({"type": "api_key", "key": "!canary"}, "canary-1\ncanary-2", "invalid_value"),
        ({"type": "api_key", "key": 7}, None, "invalid_value"),
        ({"type": "api_key"}, None, "invalid_value"),
        ({"type": "oauth", "access": ""}, None, "invalid_value"),
        ({"type": ["canary"], "key": "canary"}, None, "invalid_value"),
        ("canary", None, "invalid_value"),
        ({"type": "api_key", "key": "!canary"}, "canary", None),
    ],
)
def test_an_entry_that_gives_no_key_is_told(
    dialect: str, entry: object, output: str | None, category: str | None
) -> None:
    """What pi passes over in silence is told by category, without the value (P22, P40)."""
    world = Given(
        files={"auth.json": File(json.dumps({"groq": entry}).encode(), 0o600)}, run=lambda command: output
    )
    warnings = DIALECTS[dialect].resolve(world, "groq", None).warnings
    assert [warning.category for warning in warnings] == ([category] if category else [])
    assert "canary" not in repr(warnings)
