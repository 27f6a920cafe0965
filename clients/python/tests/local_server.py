"""A real HTTP server that reacts as told."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, NamedTuple, Optional

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class Reaction(NamedTuple):
    """What to answer; status 0 breaks the connection, and -1 answers nothing until the server ends."""

    status: int
    body: bytes = b'[]'
    retry_after: Optional[str] = None


class Request(NamedTuple):
    path: str
    headers: dict[str, str]
    body: bytes


def refusal(status: int, code: str, retry_after: Optional[str] = None) -> Reaction:
    """As the service refuses."""
    body = {'statusCode': status, 'error': 'x', 'code': code, 'message': f'about {code}', 'requestId': 'r1'}
    return Reaction(status, json.dumps(body).encode(), retry_after)


@contextmanager
def local_server(reactions: Sequence[Reaction]) -> Iterator[tuple[str, list[Request]]]:
    """The last reaction is also that to all further requests."""
    seen: list[Request] = []
    ending = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = 'HTTP/1.1'

        def do_POST(self) -> None:
            reaction = reactions[min(len(seen), len(reactions) - 1)]
            body = self.rfile.read(int(self.headers.get('content-length', '0')))
            seen.append(Request(self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            if reaction.status == -1:
                ending.wait()
            if reaction.status <= 0:
                self.close_connection = True
                return
            self.send_response(reaction.status)
            self.send_header('content-length', str(len(reaction.body)))
            if reaction.retry_after is not None:
                self.send_header('retry-after', reaction.retry_after)
            self.end_headers()
            self.wfile.write(reaction.body)

        do_GET = do_POST  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(('127.0.0.1', 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={'poll_interval': 0.01})
    thread.start()
    try:
        yield f'http://127.0.0.1:{server.server_port}', seen
    finally:
        ending.set()
        server.shutdown()
        thread.join()
        server.server_close()
