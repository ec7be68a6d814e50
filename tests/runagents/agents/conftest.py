"""A stand-in for the gateway's edge, on loopback."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


class Edge:
    """What was asked, and what to answer: path -> (status, body)."""

    def __init__(self):
        self.asked = []
        self.answers = {
            "/tools/echo-tool/echo": (200, {"reply": "Echo: hello"}),
            "/v1/chat/completions": (
                200,
                {"choices": [{"message": {"content": "An answer."}}]},
            ),
        }
        self.url = ""


@pytest.fixture
def edge():
    """A server that notes what agents send and answers as told."""
    edge = Edge()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            edge.asked.append((self.path, dict(self.headers), json.loads(body)))
            status, answer = edge.answers[self.path]
            data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=[0.01])
    thread.start()
    edge.url = f"http://127.0.0.1:{server.server_port}"
    yield edge
    server.shutdown()
    thread.join()
    server.server_close()
