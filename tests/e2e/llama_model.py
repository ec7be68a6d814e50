"""A language model of 40,000 random numbers, for llama.cpp's server to answer with.

    python -m tests.e2e.llama_model PATH

What it says means nothing. What it must say (a structured answer, a tool call) it says
correctly all the same: there the server lets through only what the grammar allows.
"""

import sys
from pathlib import Path

import numpy as np
from gguf import GGUFWriter, TokenType

CONTEXT = 2048
WIDTH = 32
INNER = 64
HEADS = 2

CALL = "<tool_call>"
"""One token, by which a model begins a tool call."""

TEMPLATE = """\
{%- if tools %}<|im_start|>system
The functions that can be called:
{%- for tool in tools %}
{{ tool | tojson }}
{%- endfor %}<|im_end|>
{% endif %}
{%- for message in messages %}
{%- if message.role == "tool" %}<|im_start|>user
<tool_response>{{ message.content }}</tool_response><|im_end|>
{% else %}<|im_start|>{{ message.role }}
{{ message.content or "" }}
{%- for call in message.tool_calls or [] %}
{%- set call = call.function or call %}
<tool_call>{"name": "{{ call.name }}", "arguments": {{ call.arguments | tojson }}}\
</tool_call>
{%- endfor %}<|im_end|>
{% endif %}
{%- endfor %}
{%- if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""
"""How the server makes one text of messages and tools, and finds calls in an answer."""

TOKENS: list[tuple[str, TokenType]] = [
    ("<unk>", TokenType.UNKNOWN),
    ("<s>", TokenType.CONTROL),
    ("</s>", TokenType.CONTROL),
    *((f"<0x{byte:02X}>", TokenType.BYTE) for byte in range(256)),
    *((chr(code), TokenType.NORMAL) for code in range(33, 127)),
    ("\u2581", TokenType.NORMAL),
    (CALL, TokenType.NORMAL),
]
CALL_TOKEN = len(TOKENS) - 1


def write(path: Path) -> None:
    """Write the model to `path`, the same each time, as a GGUF file.

    https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
    """
    writer = GGUFWriter(path, "llama")
    _describe(writer)
    _add_tokens(writer)
    _add_weights(writer)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _describe(writer: GGUFWriter) -> None:
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(INNER)
    writer.add_block_count(1)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_chat_template(TEMPLATE)


def _add_tokens(writer: GGUFWriter) -> None:
    texts, types = zip(*TOKENS, strict=True)
    writer.add_vocab_size(len(TOKENS))
    writer.add_tokenizer_model("llama")
    writer.add_token_list([text.encode() for text in texts])
    # All alike: no two tokens are worth being read as one.
    writer.add_token_scores([-1000.0] * len(TOKENS))
    writer.add_token_types(list(types))
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)


def _add_weights(writer: GGUFWriter) -> None:
    random = np.random.default_rng(7)
    inner = {"ffn_gate": (INNER, WIDTH), "ffn_up": (INNER, WIDTH)}
    square = dict.fromkeys(["attn_q", "attn_k", "attn_v", "attn_output"], (WIDTH,) * 2)
    shapes = {
        "token_embd": (len(TOKENS), WIDTH),
        "output": (len(TOKENS), WIDTH),
        **{
            f"blk.0.{name}": shape
            for name, shape in {**square, **inner, "ffn_down": (WIDTH, INNER)}.items()
        },
    }
    for name, shape in shapes.items():
        weights = random.standard_normal(shape) * (1.0 if name == "output" else 0.3)
        writer.add_tensor(f"{name}.weight", weights.astype(np.float32))
    for name in ("output_norm", "blk.0.attn_norm", "blk.0.ffn_norm"):
        writer.add_tensor(f"{name}.weight", np.ones(WIDTH, np.float32))


if __name__ == "__main__":
    write(Path(sys.argv[1]))
