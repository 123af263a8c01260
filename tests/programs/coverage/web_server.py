# SPDX-License-Identifier: Apache-2.0
"""HTTP servers in the test's own process, for programs that need somebody to talk to."""

import http.server
import ssl
import threading

import harness

ANSWER = b"fenced or not, it answers\n"


class _Handler(http.server.BaseHTTPRequestHandler):
    """Answers every GET, on a connection of its own."""

    def do_GET(self):  # noqa: N802
        self.server.admit()
        self.send_response(200)
        self.send_header("Content-Length", str(len(ANSWER)))
        self.end_headers()
        self.wfile.write(ANSWER)

    def log_message(self, *_):
        pass


class PlainServer(http.server.ThreadingHTTPServer):
    """On a free port of 127.0.0.1, from `with` on."""

    daemon_threads = True
    block_on_close = False

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.port = self.server_address[1]

    def admit(self):
        """Returns when the request may be answered."""

    def handle_error(self, *_):
        """Clients that are gone, such as the probe for an open port, are nothing to report."""

    def __enter__(self):
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05},
                         daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


class PacedServer(PlainServer):
    """TLS with client certificates, a full handshake for each request. A request waits until it
    is asked for, so that its client is alive, and at work, for as long as one wants."""

    def __init__(self, key, clients):
        super().__init__()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(key.certificate, key.key)
        context.verify_mode = ssl.CERT_REQUIRED
        context.num_tickets = 0
        for client in clients:
            context.load_verify_locations(client.certificate)
        self._context = context
        self._changed = threading.Condition()
        self._asked = 0
        self._arrived = 0

    def finish_request(self, request, client_address):
        """In the request's own thread: a handshake may take its time."""
        with self._context.wrap_socket(request, server_side=True) as stream:
            super().finish_request(stream, client_address)

    def admit(self):
        with self._changed:
            self._arrived += 1
            number = self._arrived
            self._changed.notify_all()
            self._changed.wait_for(lambda: number <= self._asked)

    def answer(self, requests, clients=1):
        """Answers so many more requests; returns when each client waits for the next answer."""
        with self._changed:
            self._asked += requests
            self._changed.notify_all()
            if not self._changed.wait_for(lambda: self._arrived == self._asked + clients,
                                          timeout=harness.DEADLINE_SECONDS):
                raise harness.HarnessError(f"{self._arrived} requests came, "
                                           f"not {self._asked + clients}")
