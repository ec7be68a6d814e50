"""llama.cpp's own HTTP server, with a model of no meaning.

    python -m tests.e2e.llama_server MODEL PORT

It serves until its standard input ends.
"""

import sys
from pathlib import Path

import xllamacpp

from tests.e2e import llama_model


def serve(model: Path, port: int) -> None:
    """Serve `model` on loopback until standard input ends."""
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(model)
    parameters.model_alias = {"tiny"}
    parameters.port = port
    parameters.n_ctx = 2 * llama_model.CONTEXT
    parameters.n_parallel = 2
    parameters.cpuparams.n_threads = 1
    parameters.use_jinja = True
    parameters.warmup = False
    server = xllamacpp.Server(parameters)
    sys.stdin.read()
    del server


if __name__ == "__main__":
    serve(Path(sys.argv[1]), int(sys.argv[2]))
