"""Models that do not obey, providers that send bad calls, and clients that mistake or spoil them."""

from __future__ import annotations

from msgspec.structs import replace

from harness.observation import Observation
from providers.call import ToolCall
from providers.errors import InvalidRequest, ServerError
from tests.miniatures.bench import (
    CHAT,
    GEMINI,
    MESSAGES,
    answered,
    breaks,
    calling,
    chat,
    failing,
    passes,
    sending,
    spoken,
    told,
    without,
)
from tests.miniatures.streaming import DONE, FIRST, chunk

PARIS = ToolCall("get_weather", {"city": "Paris"}, id="call_1", arguments_raw='{"city":"Paris"}')
SUNNY = "18 °C and sunny".encode()
RAINY = "7 °C and rain".encode()
FIRST_ID, SECOND_ID = b"call_000000001", b"call_000000002"  # of the scenario


@breaks("tool.single")
def makes_tools_up() -> Observation:
    """A model that calls a tool nobody offered."""
    return chat(calling(("get_news", "{}")), scenario="tool_call", finish="tool_calls")


@breaks("tool.single")
def only_talks() -> Observation:
    """A model that talks about the tool in place of calling it."""
    return chat({"content": "I would call get_weather."}, scenario="tool_call")


@breaks("tool.args_json")
def breaks_off() -> Observation:
    """A model whose arguments end in the middle."""
    return chat(calling(("get_weather", '{"city":')), scenario="tool_call", finish="tool_calls")


@breaks("tool.args_schema")
def leaves_arguments_out() -> Observation:
    """A model that leaves the required argument out."""
    return chat(calling(("get_weather", "{}")), scenario="tool_call", finish="tool_calls")


@breaks("tool.args_schema")
def adds_arguments() -> Observation:
    """A model that adds an argument where the schema forbids it."""
    return chat(calling(("get_weather", '{"city":"Paris","unit":"C"}')), scenario="tool_call")


@breaks("tool.no_args")
def wants_arguments() -> Observation:
    """A client that takes a call without arguments for a broken one."""
    return told(spoken("tool_call_no_args"), parts=(ToolCall("get_time", None, id="call_1"),))


@breaks("tool.stream_args")
def keeps_the_last_piece() -> Observation:
    """A client that keeps the last piece of the arguments only."""
    return told(spoken("tool_call_stream"), parts=(replace(PARIS, arguments_raw='"}'),))


@breaks("tool.stream_args")
def swaps_arguments() -> Observation:
    """A client that gives two calls each other's arguments."""
    seen = spoken("tool_call_parallel_stream")
    return told(seen, parts=tuple(reversed(seen.turn.parts)))


@breaks("tool.stream_type_field")
def sends_no_type() -> Observation:
    """A provider whose first delta of a call has no type."""
    call = '{"tool_calls":[{"index":0,"id":"call_1","function":{"name":"get_weather","arguments":"{}"}}]}'
    return answered(FIRST + chunk(call) + chunk("{}", '"tool_calls"') + DONE, scenario="tool_call_stream")


@breaks("tool.id_present")
def doubles_ids() -> Observation:
    """A provider that gives two calls one id."""
    calls = calling(("get_weather", "{}"), ("get_weather", "{}"), ids=("call_1", "call_1"))
    return chat(calls, scenario="tool_call_parallel", finish="tool_calls")


@breaks("tool.id_present")
def sends_no_ids() -> Observation:
    """A provider that gives its calls an empty id."""
    return chat(calling(("get_weather", "{}"), ids=("",)), scenario="tool_call", finish="tool_calls")


@breaks("tool.parallel")
def does_one_thing() -> Observation:
    """A model that makes the first of two calls only."""
    calls = calling(("get_weather", '{"city":"Paris"}'))
    return chat(calls, scenario="tool_call_parallel", finish="tool_calls")


@breaks("tool.parallel_same_name")
def merges_by_name() -> Observation:
    """A client that takes two calls of one tool for one."""
    raw = '{"city":"Paris"}{"city":"Oslo"}'
    merged = replace(PARIS, arguments=None, arguments_raw=raw)
    return told(spoken("tool_call_parallel", GEMINI), parts=(merged,))


@breaks("tool.parallel_interleaved")
def listens_to_one_call() -> Observation:
    """A client that gives every piece to the call it heard last."""
    seen = spoken("tool_call_parallel_stream", CHAT, "tool.interleaved")
    return told(seen, parts=(seen.turn.parts[0], seen.turn.parts[0]))


@breaks("tool.text_then_call")
def calls_first() -> Observation:
    """A client that puts the calls before the words."""
    seen = spoken("tool_text_then_call")
    return told(seen, parts=tuple(reversed(seen.turn.parts)))


@breaks("tool.text_then_call")
def drops_words() -> Observation:
    """A client that drops the words of a turn that has calls."""
    return told(spoken("tool_text_then_call"), parts=(PARIS,))


@breaks("tool.call_then_text")
def calls_last() -> Observation:
    """A client that puts the words before the calls."""
    seen = spoken("tool_call_then_text", MESSAGES)
    return told(seen, parts=tuple(reversed(seen.turn.parts)))


@breaks("tool.stop_reason")
def ends_the_loop() -> Observation:
    """A client that takes a turn with calls for the last one."""
    return told(spoken("tool_call"), finish="stop")


@breaks("tool.unicode")
def spoils_letters() -> Observation:
    """A provider that puts question marks for letters beyond ASCII."""
    calls = calling(("get_weather", '{"city":"?\u00f3d?"}'))
    return chat(calls, scenario="tool_call_unicode", finish="tool_calls")


@breaks("tool.roundtrip")
def falls_silent() -> Observation:
    """A model that has no words for a tool's result."""
    return told(spoken("tool_roundtrip"), parts=())


@breaks("tool.roundtrip")
def fails_over_results() -> Observation:
    """A provider that fails over a tool's result."""
    return failing(told(spoken("tool_roundtrip"), parts=()), ServerError(None, status=500))


@breaks("tool.result_string")
def loses_results() -> Observation:
    """A client that sends results without their words."""
    return sending(spoken("tool_roundtrip"), SUNNY, b"")


@breaks("tool.result_error")
def hides_failures() -> Observation:
    """A client that sends a tool's failure as its result."""
    return sending(spoken("tool_result_error", MESSAGES), b'"is_error":true', b'"is_error":false')


@breaks("tool.result_empty")
def wants_results() -> Observation:
    """A provider that refuses an empty result."""
    return failing(spoken("tool_result_empty"), InvalidRequest("content is empty", status=400))


@breaks("tool.result_order")
def pairs_by_place() -> Observation:
    """A client that pairs results with calls by their place."""
    seen = sending(spoken("tool_result_order"), SUNNY, b"?")
    return sending(sending(seen, RAINY, SUNNY), b"?", RAINY)


@passes("tool.result_order")
def renames_both_ends() -> Observation:
    """A client that gives every call an id of its own, and its result the same."""
    return _renamed({FIRST_ID: b"a", SECOND_ID: b"b"})


@breaks("tool.result_order")
def renames_crosswise() -> Observation:
    """A client that gives the results ids of its own, each the other call's."""
    seen = _renamed({FIRST_ID: b"a", SECOND_ID: b"b"})
    seen = sending(seen, b'"tool_call_id":"a"', b'"tool_call_id":"?"')
    seen = sending(seen, b'"tool_call_id":"b"', b'"tool_call_id":"a"')
    return sending(seen, b'"tool_call_id":"?"', b'"tool_call_id":"b"')


def _renamed(names: dict[bytes, bytes]) -> Observation:
    seen = spoken("tool_result_order")
    for id, name in names.items():
        seen = sending(seen, id, name)
    return seen


@breaks("tool.id_roundtrip", "tool.orphan_call")
def renames_one_end() -> Observation:
    """A client that makes the result's id fit the vendor, and not the call's."""
    return sending(spoken("history_foreign_ids"), b'"tool_call_id":"', b'"tool_call_id":"x')


@breaks("tool.orphan_call")
def forgets_the_result() -> Observation:
    """A client that leaves an aborted call without a result."""
    return sending(spoken("history_orphan_call", MESSAGES), b'"tool_use_id":"', b'"tool_use_id":"x')


@breaks("tool.orphan_result")
def keeps_the_orphan() -> Observation:
    """A client that sends an orphan's words as the user's."""
    return sending(spoken("history_orphan_result"), b"Hello again.", SUNNY)


@breaks("tool.abort")
def sends_the_piece() -> Observation:
    """A client that sends cut arguments as what the assistant said."""
    return sending(spoken("history_cut_call"), b"I will look it up.", b'{\\"city\\":\\"Pa')


@breaks("tool.history_needs_tools")
def drops_the_tools() -> Observation:
    """A client that sends tool history without any tools to a vendor who wants some."""
    return without(spoken("history_without_tools", MESSAGES), "tools")


@breaks("tool.history_needs_tools")
def drops_the_history() -> Observation:
    """A client that drops results once no tools are on offer."""
    return sending(spoken("history_without_tools"), SUNNY, b"")


@breaks("tool.fine_grained")
def streams_eagerly() -> Observation:
    """A client that asks every endpoint for fine-grained streaming."""
    return sending(
        spoken("tool_call_stream", MESSAGES), b'"tools":[{', b'"tools":[{"eager_input_streaming":true,'
    )


@breaks("tool.server_side")
def runs_hosted_tools() -> Observation:
    """A client that wants to run the provider's own tool."""
    seen = spoken("text_stream", MESSAGES, "tool.server_side")
    return told(seen, parts=(*seen.turn.parts, ToolCall("web_search", {}, id="srvtoolu_1")))


@breaks("tool.strict")
def forgets_strictness() -> Observation:
    """A client that sends a strict tool as a lenient one."""
    return sending(spoken("tool_strict"), b'"strict":true', b'"strict":false')


@breaks("tool.schema_refs")
def drops_definitions() -> Observation:
    """A client that sends $ref without the $defs."""
    return sending(spoken("tool_schema_refs"), b'"$defs"', b'"old"')


@breaks("tool.schema_refs")
def drops_siblings() -> Observation:
    """A client that drops the description beside a $ref."""
    return sending(spoken("tool_schema_refs"), b"The city's name", b"")


@breaks("tool.schema_banned")
def sends_every_keyword() -> Observation:
    """A client that sends schema keywords the vendor refuses."""
    refused = ("schema", "no $schema", "$schema", "/tools/0")
    return replace(spoken("tool_schema_banned", GEMINI), violations=(refused,))


@breaks("tool.schema_empty")
def sends_no_schema() -> Observation:
    """A client that sends a tool without a schema."""
    return sending(spoken("tool_call_no_args", MESSAGES), b'"input_schema":', b'"schema":')


@breaks("tool.choice_required")
def ignores_the_choice() -> Observation:
    """A model that answers with words where a call was required."""
    return chat({"content": "Paris is a city."}, scenario="tool_choice_required")


@breaks("tool.choice_named")
def calls_another() -> Observation:
    """A model that calls another tool than the named one."""
    return chat(calling(("get_time", "{}")), scenario="tool_choice_named", finish="tool_calls")


@breaks("tool.choice_subset")
def drops_the_choice() -> Observation:
    """A client that offers all tools and drops the choice among them."""
    return without(spoken("tool_choice_named"), "tool_choice")


@breaks("tool.choice_none")
def calls_all_the_same() -> Observation:
    """A model that calls a tool though it may not."""
    return chat(calling(("get_weather", "{}")), scenario="tool_choice_none", finish="tool_calls")


@breaks("tool.stop_mismatch")
def goes_by_the_reason() -> Observation:
    """A client that goes by the stop reason, and drops the calls."""
    return told(spoken("tool_call", CHAT, "tool.stop_mismatch"), finish="stop", parts=())


@breaks("tool.stop_mismatch")
def keeps_the_reason() -> Observation:
    """A client that keeps calls under an ordinary stop."""
    return told(spoken("tool_call", MESSAGES, "tool.stop_mismatch"), finish="stop")


@breaks("tool.stop_empty")
def waits_for_calls() -> Observation:
    """A client that waits for calls which never came."""
    return told(spoken("text", CHAT, "tool.stop_empty"), finish="tool_calls")


@breaks("tool.truncated_args")
def mends_cut_arguments() -> Observation:
    """A client that closes cut arguments, and offers the call to be run."""
    cut = replace(PARIS, arguments={"city": "Par"})
    return told(spoken("tool_call", CHAT, "tool.truncated_args"), parts=(cut,))


@breaks("tool.malformed_args")
def makes_arguments_up() -> Observation:
    """A client that makes an empty object of broken arguments."""
    lost = replace(PARIS, arguments={})
    return told(spoken("tool_call", CHAT, "tool.malformed_args"), parts=(lost,))


@breaks("tool.malformed_args")
def loses_the_raw_text() -> Observation:
    """A client that tells of broken arguments without showing them."""
    lost = replace(PARIS, arguments=None, arguments_raw="")
    return told(spoken("tool_call_stream", MESSAGES, "tool.malformed_args"), parts=(lost,))


@breaks("tool.unknown_name")
def drops_unknown_calls() -> Observation:
    """A client that drops a call it has no tool for."""
    return told(spoken("tool_call", CHAT, "tool.unknown_name"), parts=())


@breaks("tool.unknown_name")
def guesses_the_tool() -> Observation:
    """A client that runs a tool of a like name."""
    return told(spoken("tool_call", CHAT, "tool.unknown_name"), parts=(PARIS,))


@breaks("tool.control_chars")
def cuts_at_control() -> Observation:
    """A client that ends a string at the first control character."""
    cut = replace(PARIS, arguments={"city": "Pa"})
    return told(spoken("tool_call", CHAT, "tool.control_chars"), parts=(cut,))
