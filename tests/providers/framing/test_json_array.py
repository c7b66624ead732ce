"""A JSON array that arrives in pieces."""

from __future__ import annotations

import json
from collections.abc import Callable
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.framing.json_array import JSONArray
from providers.wire import Frame
from tests.deliveries import framed, framed_the_same, in_chunks, with_bytes_after
from tests.strategies import json_values

ARRAYS = {
    "as Google separates": (
        b'[{"a": 1}\n,\r\n{"b": 2}\n,\r\n{"c": 3}\n]\n',
        [Frame(b'{"a": 1}', "", 1), Frame(b'{"b": 2}', "", 13), Frame(b'{"c": 3}', "", 25)],
    ),
    "empty": (b" [ ] ", []),
    "one object": (b' {"a": [1]}\n', [Frame(b'{"a": [1]}', "", 1)]),
    "brackets in strings": (
        rb'[{"a":"]}\"},{"},{"b":"\\"},{"}{":"["}]',
        [Frame(rb'{"a":"]}\"},{"}', "", 1), Frame(rb'{"b":"\\"}', "", 17), Frame(b'{"}{":"["}', "", 28)],
    ),
    "separator inside": (
        b'[{"a":1},{"b":[{},{}]},{"c":2}]',
        [Frame(b'{"a":1}', "", 1), Frame(b'{"b":[{},{}]}', "", 9), Frame(b'{"c":2}', "", 23)],
    ),
    "separators that change": (
        b"[{},{} ,{},\n{},{}]",
        [Frame(b"{}", "", at) for at in (1, 4, 8, 12, 15)],
    ),
    "every kind of element": (
        b'[1, "a,]", [[2],"]"], null,{}]',
        [
            Frame(b"1", "", 1),
            Frame(b'"a,]"', "", 4),
            Frame(b'[[2],"]"]', "", 11),
            Frame(b"null", "", 22),
            Frame(b"{}", "", 27),
        ],
    ),
    "deep": (b"[" * 2000 + b"]" * 2000, [Frame(b"[" * 1999 + b"]" * 1999, "", 1)]),
}

FAULTS = {
    "nothing": (b"", 0, 0),
    "white space": (b" \n", 0, 2),
    "a string": (b'"a"', 0, 0),
    "a number": (b"1", 0, 0),
    "HTML": (b"<html>", 0, 0),
    "an event stream": (b"data: {}\n\n", 0, 0),
    "comma first": (b"[,{}]", 0, 1),
    "comma twice": (b"[{},,{}]", 1, 4),
    "comma last": (b"[{},]", 1, 4),
    "no comma": (b"[{} {}]", 1, 4),
    "after the end": (b"[{}]{}", 1, 4),
    "two objects": (b"{}\n{}", 1, 3),
    "ends in an element": (b'[{},{"a":"', 1, 10),
    "ends in a scalar": (b"[{},1", 1, 5),
    "ends in an object": (b'{"a":', 0, 5),
    "ends after an element": (b"[{}", 1, 3),
    "ends after a comma": (b"[{},", 1, 4),
}


@pytest.mark.parametrize(("content", "frames"), ARRAYS.values(), ids=ARRAYS)
def test_arrays(content: bytes, frames: list[Frame]) -> None:
    """A body gives these elements, in pieces of any length."""
    for length in (1, 2, 3, 5, 16, len(content)):
        assert framed(JSONArray(), in_chunks(content, length)) == (frames, None)


@pytest.mark.parametrize(("content", "delivered", "offset_bytes"), FAULTS.values(), ids=FAULTS)
def test_faults(content: bytes, delivered: int, offset_bytes: int) -> None:
    """What is no array is a FramingError at its place, after the elements before it."""
    assert len(framed_the_same(JSONArray, content)) == delivered
    _, fault = framed(JSONArray(), [content])
    assert fault is not None
    assert fault.offset_bytes == offset_bytes


def test_bytes_after_the_end_are_refused() -> None:
    """Bytes after the array are a FramingError at their first one that is not white space."""
    frames, fault = framed(JSONArray(), with_bytes_after(b"[{}]\n"))
    assert frames == [Frame(b"{}", "", 1)]
    assert fault is not None
    assert (fault.offset_bytes, fault.expected) == (5, "nothing but white space")


def test_an_element_is_delivered_at_its_end() -> None:
    """An element does not wait for the comma after it."""
    assert [frame.data for frame in JSONArray().feed(b'[{"a": 1}')] == [b'{"a": 1}']


@given(
    st.lists(st.dictionaries(st.text(max_size=4), json_values, max_size=3)),
    st.sampled_from((",", "\n,\r\n", ", ")),
    st.integers(1, 40),
)
def test_written_elements_are_read(values: list[object], between: str, length: int) -> None:
    """Elements are read as they were written, whatever stands between them."""
    content = f"[{between.join(json.dumps(value, ensure_ascii=False) for value in values)}]".encode()
    frames, fault = framed(JSONArray(), in_chunks(content, length))
    assert fault is None
    assert [json.loads(frame.data) for frame in frames] == values
    assert framed(JSONArray(), [content]) == (frames, None)


@pytest.mark.parametrize(
    "element",
    [
        pytest.param(lambda size: b'{"a":"' + b"x" * size + b'"}', id="one string"),
        pytest.param(lambda size: b'{"a":[' + b'{"b":1},' * (size // 8) + b"{}]}", id="separators inside"),
        pytest.param(lambda size: b'{"a":"' + b'\\"' * (size // 2), id="a string without end"),
        pytest.param(lambda size: b"{},{} ," * (size // 7) + b"{}", id="separators that change"),
    ],
)
def test_time_is_linear(element: Callable[[int], bytes]) -> None:
    """Eight times the bytes take about eight times as long, not sixty-four."""
    fastest_s = []
    for size in (2**15, 2**18):
        chunks = in_chunks(b"[{},{}," + element(size), 4096)
        runs = []
        for _ in range(3):
            start = process_time()
            framed(JSONArray(), chunks)
            runs.append(process_time() - start)
        fastest_s.append(min(runs))
    assert fastest_s[1] < 25 * fastest_s[0]
