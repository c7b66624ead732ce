"""The other side of ``ollama-chat``: an Ollama server.

Reference: https://docs.ollama.com/api/chat and https://docs.ollama.com/api/errors; read 2026-11-21. What is
said in an error is the server's:

    bad_key            https://github.com/ollama/ollama, api/types.go, AuthorizationError
    forbidden          users' reports of models of ollama.com's, many of them
    unknown_model      https://docs.ollama.com/api/errors
    rate_limit         https://github.com/devops-thiago/ThrillhouseBot/issues/838; status of the reference
    quota              https://github.com/diegosouzapw/OmniRoute/issues/3709
    overloaded         https://github.com/ollama/ollama, server/sched.go, ErrMaxQueue
    server_error       https://github.com/ollama/ollama/issues/11380
    context_overflow   https://github.com/nano-step/nano-brain/issues/208, of an embedding
    bad_request        https://github.com/ollama/ollama, server/routes.go

    judge.py   what the server refuses in a request
    speak.py   a Turn as the server's bytes, and refusals
"""

from __future__ import annotations

from harness.emulators.emulator import Emulator
from harness.emulators.ollama_chat.judge import judge
from harness.emulators.ollama_chat.speak import refuse, speak
from providers.wire import Refused

EMULATOR = Emulator(
    name="ollama-chat",
    source="https://docs.ollama.com/api/chat",
    judge=judge,
    speak=speak,
    refuse=refuse,
    streams_unasked=True,
    refusals={
        "bad_key": Refused(401, "unauthorized"),
        "forbidden": Refused(
            403, "this model requires a subscription, upgrade for access: https://ollama.com/upgrade"
        ),
        "unknown_model": Refused(404, "model '{model}' not found"),
        "rate_limit": Refused(429, "timed out waiting for a concurrent request slot"),
        "quota": Refused(
            429,
            "you (ada) have reached your weekly usage limit, upgrade for higher limits: "
            "https://ollama.com/upgrade",
        ),
        "overloaded": Refused(503, "server busy, please try again.  maximum pending requests exceeded"),
        "server_error": Refused(
            500,
            "model runner has unexpectedly stopped, this may be due to resource limitations or an internal "
            "error, check ollama server logs for details",
        ),
        "context_overflow": Refused(400, "the input length exceeds the context length"),
        "bad_request": Refused(400, "missing request body"),
    },
)
