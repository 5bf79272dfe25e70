"""A server on this machine that has PTB, or misbehaves in one of many ways."""

import contextlib
import http.server
import io
import zipfile


def small_zip():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("ptb/ptb.train.txt", " a b c \n d e \n")
        archive.writestr("ptb/ptb.valid.txt", " a b \n")
    return buffer.getvalue()


GOOD = small_zip()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.requests += 1
        with contextlib.suppress(ConnectionError):
            self.server.answer(self)

    def log_message(self, *_):
        pass


def send(handler, body, status=200, length=None):
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(body) if length is None else length))
    handler.end_headers()
    handler.wfile.write(body)


def endless(handler):
    handler.send_response(200)
    handler.end_headers()
    while not handler.server.stopped.is_set():
        handler.wfile.write(b"x" * 65536)


def drip(handler):
    handler.send_response(200)
    handler.end_headers()
    while not handler.server.stopped.wait(0.05):
        handler.wfile.write(b"x")


def redirect(handler):
    handler.send_response(302)
    handler.send_header("Location", "/ptb.zip")
    handler.end_headers()


def stall(handler):
    handler.send_response(200)
    handler.end_headers()
    handler.server.stopped.wait(60)


FAULTS = {
    "error page": (lambda handler: send(handler, b"<html>not found</html>", 404), "404"),
    "wrong bytes": (lambda handler: send(handler, b"<html>welcome</html>"), "hash|SHA"),
    "cut": (lambda handler: send(handler, GOOD[:50], length=len(GOOD)), "IncompleteRead|hash|more expected"),
    "endless": (endless, "more than 10,000,000 bytes"),
    "drip": (drip, "took more than"),
    "stall": (stall, "timed out"),
    "redirects": (redirect, "redirect"),
}
