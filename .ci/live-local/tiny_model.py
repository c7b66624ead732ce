"""Write a language model of half a megabyte with random weights, for a server that nobody here wrote.

    python tiny_model.py tiny.gguf

Two layers of 64 dimensions and a vocabulary that can say any byte, as GGUF
(https://github.com/ggml-org/ggml/blob/master/docs/gguf.md). What it says is noise, the same each time; a
grammar (a named tool choice) makes it lawful JSON. Nothing is downloaded.
"""

from __future__ import annotations

import sys

import gguf
import numpy as np

DIMENSIONS, LAYERS, FEED_FORWARD, HEADS, CONTEXT = 64, 2, 128, 4, 2048
ALWAYS, LIKELY = 8.0, 10.0
NORMAL, UNKNOWN, CONTROL, BYTE = 1, 2, 3, 6  # llama_token_type
CONTROLS = {f"<0x{value:02X}>".encode() for value in (*range(32), 127)}
SPACE = "\u2581"


def vocabulary() -> list[tuple[bytes, int]]:
    """Tokens and their types: the three that control, every byte, and every printable ASCII character."""
    control = [(b"<unk>", UNKNOWN), (b"<s>", CONTROL), (b"</s>", CONTROL)]
    every_byte = [(f"<0x{value:02X}>".encode(), BYTE) for value in range(256)]
    printable = [(SPACE.encode(), NORMAL), *((chr(code).encode(), NORMAL) for code in range(33, 127))]
    return control + every_byte + printable


def leaning(token: bytes) -> float:
    """How much likelier a token is than others."""
    if token in (b"</s>", b'"'):
        return LIKELY
    return -LIKELY if token in CONTROLS else 0.0


def write(path: str) -> None:
    """Write the model to ``path``."""
    random = np.random.default_rng(0)
    tokens = vocabulary()
    model = gguf.GGUFWriter(path, "llama")
    model.add_name("wirecheck-tiny")
    model.add_context_length(CONTEXT)
    model.add_embedding_length(DIMENSIONS)
    model.add_block_count(LAYERS)
    model.add_feed_forward_length(FEED_FORWARD)
    model.add_head_count(HEADS)
    model.add_head_count_kv(HEADS)
    model.add_layer_norm_rms_eps(1e-5)
    model.add_rope_dimension_count(DIMENSIONS // HEADS)
    model.add_vocab_size(len(tokens))
    model.add_tokenizer_model("llama")
    model.add_token_list([text for text, _ in tokens])
    model.add_token_scores([-1.0 if kind == NORMAL else 0.0 for _, kind in tokens])
    model.add_token_types([kind for _, kind in tokens])
    model.add_unk_token_id(0)
    model.add_bos_token_id(1)
    model.add_eos_token_id(2)

    def weights(name: str, *shape: int, silent: int | None = None) -> None:
        values = random.standard_normal(shape) * 0.3
        if silent is not None:
            values[silent] = 0.0
        model.add_tensor(name, values.astype(np.float32))

    def ones(name: str) -> None:
        model.add_tensor(name, np.ones(DIMENSIONS, np.float32))

    # Dimension 0 is the same for every token and no layer writes to it, so its weights of the output are a
    # bias: answers and strings come to an end before long, and hold no control characters.
    embedding = random.standard_normal((len(tokens), DIMENSIONS))
    embedding[:, 0] = ALWAYS
    output = random.standard_normal((len(tokens), DIMENSIONS)) * 0.3
    output[:, 0] = [leaning(text) for text, _ in tokens]
    model.add_tensor("token_embd.weight", embedding.astype(np.float32))
    model.add_tensor("output.weight", output.astype(np.float32))
    ones("output_norm.weight")
    for layer in range(LAYERS):
        for part in ("attn_q", "attn_k", "attn_v"):
            weights(f"blk.{layer}.{part}.weight", DIMENSIONS, DIMENSIONS)
        weights(f"blk.{layer}.attn_output.weight", DIMENSIONS, DIMENSIONS, silent=0)
        for part in ("ffn_gate", "ffn_up"):
            weights(f"blk.{layer}.{part}.weight", FEED_FORWARD, DIMENSIONS)
        weights(f"blk.{layer}.ffn_down.weight", DIMENSIONS, FEED_FORWARD, silent=0)
        ones(f"blk.{layer}.attn_norm.weight")
        ones(f"blk.{layer}.ffn_norm.weight")
    model.write_header_to_file()
    model.write_kv_data_to_file()
    model.write_tensors_to_file()
    model.close()


if __name__ == "__main__":
    write(sys.argv[1])
