"""The system's Chromium, driven by Playwright, a page that notes what goes wrong in it, and a server for such pages."""

import contextlib
import functools
import http.server
import shutil
import threading

PROGRAMS = "chromium", "google-chrome"
QUIET = "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-quic"
GIVEN_UP = "net::ERR_ABORTED"  # by the page itself, as when one leaves it before its icon came: nothing failed
STILL = "* { transition: none !important; animation: none !important }"  # colors are judged when they have changed


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@contextlib.contextmanager
def served(folder):
    """Give the address of a server on this machine that has the files of a folder."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()


@contextlib.contextmanager
def chromium():
    """Give a browser, as Playwright knows it. Root may only start one without a sandbox: show it nothing but our own pages."""
    from playwright.sync_api import sync_playwright  # make test-all installs it

    program = next(filter(None, map(shutil.which, PROGRAMS)))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu", *QUIET])
        yield browser
        browser.close()


def open_page(browser, own):
    """Open a page; returns it and the list of its troubles: errors in the console, failed requests, requests not to `own`."""
    page, troubles = browser.new_page(viewport={"width": 1280, "height": 900}), []
    page.on("console", lambda message: troubles.append(f"console: {message.text}") if message.type == "error" else None)
    page.on("pageerror", lambda error: troubles.append(f"error: {error}"))
    page.on("requestfailed", lambda request: troubles.append(f"failed: {request.url}") if request.failure != GIVEN_UP else None)
    page.on("response", lambda response: troubles.append(f"{response.status}: {response.url}") if response.status >= 400 else None)
    at_home = (own, "data:", "blob:")
    page.on("request", lambda request: None if request.url.startswith(at_home) else troubles.append(f"leaves: {request.url}"))
    return page, troubles
