"""Tests of asking at a pace: refusals that waiting cures, and those that it does not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from harness.errors import OutOfBudget
from harness.ledger import Ledger
from harness.pacing import Pace
from harness.transports.paced import Paced


class _Time:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def asked(
    path: Path, *answers: httpx.Response, budget_usd: float | None = None
) -> tuple[httpx.Response, _Time, Ledger]:
    """What a client sees when the peer gives these answers in turn."""
    time = _Time()
    ledger = Ledger(path / "book", pace=Pace(), budget_usd=budget_usd, clock=time, sleep=time.sleep)
    left = list(answers)
    inner = httpx.MockTransport(lambda request: left.pop(0))
    with httpx.Client(transport=Paced(inner, ledger, "groq", lambda request: 0.01)) as client:
        response = client.post("https://x.example/", content=b"{}")
    return response, time, ledger


def refusal(status: int, text: str = "slow down", **fields: str) -> httpx.Response:
    return httpx.Response(status, headers=fields, stream=httpx.ByteStream(text.encode()))


def good() -> httpx.Response:
    return httpx.Response(200, stream=httpx.ByteStream(b"ok"))


def test_a_retry_after_is_waited_for(tmp_path: Path) -> None:
    """The call is made again after as long as the peer asked, and the refusal costs nothing."""
    response, time, ledger = asked(tmp_path, refusal(429, **{"retry-after": "7"}), good())
    assert (response.status_code, time.now) == (200, 7.0)
    assert ledger.spent()["groq"].calls == 2
    assert ledger.spent()["groq"].set_aside_usd == pytest.approx(0.01)


def test_without_one_the_wait_doubles_and_ends(tmp_path: Path) -> None:
    """After three attempts the refusal is the answer, with its content."""
    response, time, _ = asked(tmp_path, refusal(503), refusal(503), refusal(503, "still down"))
    assert (response.status_code, response.text, time.now) == (503, "still down", 3.0)


@pytest.mark.parametrize(
    "answer",
    [
        refusal(429, '{"error":{"code":"insufficient_quota","message":"You exceeded your current quota"}}'),
        refusal(429, **{"retry-after": "3600"}),
        refusal(402, "Payment Required"),
    ],
    ids=["no quota", "an hour", "no credit"],
)
def test_what_waiting_does_not_cure_is_the_answer(tmp_path: Path, answer: httpx.Response) -> None:
    """It is asked once, and not waited for."""
    status = answer.status_code
    response, time, ledger = asked(tmp_path, answer)
    assert (response.status_code, time.now) == (status, 0.0)
    assert ledger.spent()["groq"].calls == 1


def test_nothing_is_sent_beyond_the_budget(tmp_path: Path) -> None:
    """The cap is looked at first."""
    with pytest.raises(OutOfBudget):
        asked(tmp_path, budget_usd=0.005)


@pytest.mark.parametrize("refused_midway", [False, True], ids=["before the head", "in a refusal"])
def test_a_broken_connection_gives_its_place_back(tmp_path: Path, refused_midway: bool) -> None:
    """An error of the network is handed on, and the next request need not wait."""
    time = _Time()
    ledger = Ledger(tmp_path / "book", pace=Pace(concurrency=1), clock=time, sleep=time.sleep)

    class _Broken(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            raise httpx.ConnectError("reset")

    def refuse(request: httpx.Request) -> httpx.Response:
        if refused_midway:
            return httpx.Response(429, stream=_Broken())
        raise httpx.ConnectError("refused")

    with httpx.Client(
        transport=Paced(httpx.MockTransport(refuse), ledger, "groq", lambda request: 0.0)
    ) as client:
        for _ in range(2):
            with pytest.raises(httpx.ConnectError):
                client.get("https://x.example/")
    assert time.now == 0.0
