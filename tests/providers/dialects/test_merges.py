"""Properties of the merges: idempotent, order-stable, built-ins kept, last writer wins, faults isolated."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from providers.dialects import DIALECTS, gomodel, mayros_models
from providers.dialects.resolved import Catalogue, File, Given

IDS = st.sampled_from(["m1", "m2", "m3", "m4"])
NAMES = st.sampled_from(["One", "Two", "Three"])
LIMITS = st.integers(1, 10**6)
MODEL = st.fixed_dictionaries(
    {"id": IDS}, optional={"name": NAMES, "contextWindow": LIMITS, "maxTokens": LIMITS}
)
MODELS = st.lists(MODEL, max_size=6)
BUILTIN = st.lists(IDS, unique=True, max_size=4).map(
    lambda ids: tuple({"provider": "groq", "id": id, "name": f"Built-in {id}", "api": "x"} for id in ids)
)
SYSTEMS = st.sampled_from(["zot", "zot@newest", "pi", "pi@newest"])


def _merge(system: str, builtin: Any, providers: dict[str, Any]) -> Catalogue:
    content = json.dumps({"providers": providers}).encode()
    return DIALECTS[system].models(Given(files={"models.json": File(content)}, builtin_models=builtin))


def _flat(catalogue: Catalogue) -> list[dict[str, Any]]:
    return [model.flat() for model in catalogue.models]


def _entry(models: list[dict[str, Any]]) -> dict[str, Any]:
    return {"baseUrl": "https://acme.test/v1", "api": "openai-completions", "apiKey": "k", "models": models}


@settings(max_examples=60, deadline=None)
@given(SYSTEMS, BUILTIN, MODELS)
def test_merging_twice_is_merging_once(system: str, builtin: Any, models: list[dict[str, Any]]) -> None:
    """The merged catalogue, merged again, is itself."""
    once = _flat(_merge(system, builtin, {"groq": _entry(models)}))
    assert _flat(_merge(system, tuple(once), {"groq": _entry(models)})) == once


@settings(max_examples=60, deadline=None)
@given(SYSTEMS, BUILTIN, MODELS)
def test_built_in_models_stay_in_their_order(system: str, builtin: Any, models: list[dict[str, Any]]) -> None:
    """No built-in model is lost or moved, whatever the user writes."""
    merged = _merge(system, builtin, {"groq": _entry(models)})
    kept = [model.id for model in merged.models if model.provider == "groq"]
    assert kept[: len(builtin)] == [entry["id"] for entry in builtin]
    assert len(kept) == len(set(kept))


@settings(max_examples=60, deadline=None)
@given(SYSTEMS, BUILTIN, MODELS)
def test_the_last_entry_of_an_id_wins(system: str, builtin: Any, models: list[dict[str, Any]]) -> None:
    """Of two user entries with one id and a name each, the later name is shown."""
    merged = _merge(system, builtin, {"groq": _entry(models)})
    last = {model["id"]: model for model in models}
    for id, told in last.items():
        found = merged.find("groq", id)
        assert found is not None
        if "name" in told:
            assert found.fields["name"] == told["name"]


@settings(max_examples=60, deadline=None)
@given(SYSTEMS, BUILTIN, MODELS)
def test_other_providers_are_untouched(system: str, builtin: Any, models: list[dict[str, Any]]) -> None:
    """An entry of one provider changes no model of another."""
    before = _flat(_merge(system, builtin, {}))
    after = _flat(_merge(system, builtin, {"acme": _entry(models)}))
    assert [entry for entry in after if entry["provider"] == "groq"] == before


BAD = st.sampled_from([{"id": ""}, {}, {"id": 7}, "text", None, {"id": "m1", "maxTokens": "many"}])


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["zot", "zot@newest"]), MODELS, BAD, st.integers(0, 6))
def test_a_bad_zot_entry_is_isolated(system: str, models: list[dict[str, Any]], bad: Any, place: int) -> None:
    """A bad entry changes nothing but the warnings."""
    good = _merge(system, (), {"acme": _entry(models)})
    with_bad = _merge(system, (), {"acme": _entry([*models[:place], bad, *models[place:]])})
    assert _flat(with_bad) == _flat(good)
    assert len(with_bad.warnings) == len(good.warnings) + 1


@settings(max_examples=60, deadline=None)
@given(MODELS, st.sampled_from([{}, {"models": [{"id": "b1"}]}, {"api": "x", "models": [{"id": "b1"}]}]))
def test_a_bad_pi_provider_is_isolated_in_the_newest(models: list[dict[str, Any]], bad: Any) -> None:
    """The newest pi leaves out the bad provider; the documented one refuses the file."""
    newest = _merge("pi@newest", (), {"acme": _entry(models), "bad": bad})
    assert _flat(newest) == _flat(_merge("pi@newest", (), {"acme": _entry(models)}))
    assert [fault.provider for fault in newest.faults] == ["bad"]
    assert _flat(_merge("pi", (), {"acme": _entry(models), "bad": bad})) == []


@settings(max_examples=60, deadline=None)
@given(MODELS, MODELS)
def test_mayros_joins_models_by_id(implicit: list[dict[str, Any]], explicit: list[dict[str, Any]]) -> None:
    """Explicit models come first, and joining again changes nothing."""
    joined = mayros_models.joined({"models": implicit}, {"models": explicit})
    assert joined["models"][: len(explicit)] == explicit
    assert {m["id"] for m in joined["models"]} == {m["id"] for m in (*implicit, *explicit)}
    assert mayros_models.joined({"models": implicit}, joined) == joined


@settings(max_examples=60, deadline=None)
@given(MODEL.filter(lambda model: bool(model["id"])))
def test_mayros_defaults_are_a_fixed_point(model: dict[str, Any]) -> None:
    """A model whose defaults are filled in stays as it is when they are filled in again."""
    filled, _ = mayros_models.model_fields(model)
    again, _ = mayros_models.model_fields({"id": model["id"], **filled})
    assert again == filled
    assert filled["maxTokens"] <= filled["contextWindow"]


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="ab ,", max_size=12))
def test_gomodel_lists_are_a_fixed_point(text: str) -> None:
    """A comma list, written again, is itself: trimmed, without blanks and duplicates."""
    items = gomodel.comma_list(text)
    assert gomodel.comma_list(",".join(items)) == items
    assert len(items) == len(set(items))


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(["temperature", "max_tokens", "timeout_secs"]), st.integers(0, 9)))
def test_zeroclaw_overrides_beat_the_file_and_stay_out_of_it(fields: dict[str, int]) -> None:
    """Each overridden field has the variable's value in memory and the file's on disk."""
    start = "ZEROCLAW_providers__models__custom__box__"
    environ = {start + name: str(value) for name, value in fields.items()}
    text = b"[providers.models.custom.box]\nmax_tokens = 77\nmodel = 'm'\n"
    world = Given(environ=environ, files={"config.toml": File(text)})
    merged = DIALECTS["zeroclaw"].models(world).models[0]
    assert {name: merged.fields[name] for name in fields} == fields
    assert merged.fields["model"] == "m"
    assert all(merged.origins[name] == start + name for name in fields)
