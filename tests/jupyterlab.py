"""JupyterLab in a browser, as a person uses it: menus, buttons, keys."""

import contextlib
import json
import os
import re
import subprocess
import sys
import time
import urllib.request

from tests.browser import open_page
from tests.conftest import ROOT
from tests.ranks import free_port

TOKEN = "word2vec"
PROMPTS = "[...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')].map(prompt => prompt.textContent)"


@contextlib.contextmanager
def server(folder, home):
    """Start `jupyter lab` as `make lab` does, in `folder`, with nobody's settings; gives its address."""
    port = free_port()
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
        env[name] = str(home / name.lower())
    command = [sys.executable, "-m", "jupyterlab", "--LabApp.default_url=/lab/tree/notebooks", "--no-browser", "--allow-root"]
    command += [f"--port={port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={TOKEN}"]
    with open(home / "log", "w") as log, subprocess.Popen(command, cwd=folder, env=env, stdout=log, stderr=log) as process:
        url = f"http://127.0.0.1:{port}/"
        try:
            while process.poll() is None:
                with contextlib.suppress(OSError):
                    urllib.request.urlopen(f"{url}api?token={TOKEN}", timeout=5)
                    break
                time.sleep(0.2)
            yield url
        finally:
            process.terminate()


class Lab:
    """JupyterLab's page. `troubles` grows."""

    def __init__(self, browser, url, folder):
        self.folder = folder
        self.page, self.troubles = open_page(browser, url)
        self.page.set_default_timeout(60_000)
        self.page.goto(f"{url}lab?token={TOKEN}")
        self.page.get_by_role("button", name="No", exact=True).click()  # Jupyter's news

    def choose(self, menu, item):
        """Choose an item of a menu."""
        self.page.locator(".lm-MenuBar-itemLabel", has_text=re.compile(f"^{menu}$")).click()
        self.page.locator(".lm-Menu-itemLabel", has_text=re.compile(f"^{item}$")).click()

    def accept(self):
        """Press the button of a dialog that goes on."""
        self.page.locator(".jp-Dialog .jp-mod-accept").click()

    def open(self, path):
        """Open a notebook by double clicks in the list of files."""
        self.path = self.folder / path
        self.page.locator(".jp-BreadCrumbs-home").click()
        for name in path.parts:
            self.page.locator(".jp-DirListing-item", has_text=name).dblclick()
        self.page.locator("#jp-main-statusbar", has_text="| Idle").wait_for()

    def wait_for_start(self):
        """Wait until all cells wait for the kernel."""
        self.page.wait_for_function(f"{PROMPTS}.at(-1) == '[*]:'")

    def wait_for_end(self):
        """Wait until no cell does, and the kernel neither."""
        self.page.wait_for_function(f"!{PROMPTS}.includes('[*]:')", timeout=300_000)
        self.page.locator("#jp-main-statusbar", has_text="| Idle").wait_for()

    def run_all(self):
        self.choose("Run", "Run All Cells")
        self.wait_for_start()

    def restart_and_run_all(self):
        self.choose("Kernel", "Restart Kernel and Run All Cells…")
        self.accept()
        self.wait_for_start()

    def save(self):
        """Save with Ctrl-S; returns the notebook as the file holds it."""
        with self.page.expect_response(lambda response: response.request.method == "PUT" and "/api/contents/" in response.url):
            self.page.keyboard.press("Control+s")
        return json.loads(self.path.read_text(encoding="utf-8"))

    def close(self):
        """Close the notebook, and its kernel; a dialog that a failed test left, before."""
        if self.page.locator(".jp-Dialog").count():
            self.page.keyboard.press("Escape")
        self.choose("File", "Close and Shut Down Notebook…")
        self.accept()
        self.page.locator(".jp-NotebookPanel").wait_for(state="detached")

    def printed(self):
        """Return what is drawn of all that cells print."""
        return "\n".join(self.page.locator(".jp-OutputArea-output pre").all_text_contents())

    def boxes(self):
        """Return the text of every dialog and every message in a corner."""
        return self.page.locator(".jp-Dialog, .Toastify__toast").all_inner_texts()
