"""No other user of the machine gets in where programs listen while they run. Ranks have tests/slow/test_scale.py."""

import contextlib
import subprocess
import sys
import time
import urllib.error
import urllib.request

import nbformat
import psutil
import pytest

from helpers.beyond.notebooks import run_notebook
from tests.conftest import ROOT
from tests.listening import LOOPBACK, open_places, places_of, watch
from tests.ranks import free_port, options_of

pytestmark = pytest.mark.slow
MODULE = [sys.executable, "-m"]


@pytest.mark.parametrize("program", ["prepare", "workers"])
def test_work_on_one_machine_listens_nowhere(program, small_text, tmp_path):
    (tmp_path / "text.txt").write_text((small_text.read_text() + "\n") * 8)
    programs = {
        "prepare": lambda text: ["helpers.tools.prepare", text, "--out", tmp_path / "new"],
        "workers": lambda text: ["helpers.tools.train", *options_of(text, tmp_path / "v.txt", {"workers": 2})],
    }
    codes, found = watch([*MODULE, *map(str, programs[program](tmp_path / "text.txt"))])
    assert codes == [0] and found == set()


def test_a_sweeps_kernels_listen_in_private_folders(small_text, tmp_path):
    _, found = watch([*MODULE, "helpers.tools.sweep", "-p", "corpus", str(small_text), "--out", str(tmp_path)], seconds=5)
    assert len({place.pid for place in found if place.is_private}) >= 2 and open_places(found) == set()


STRANGER = """import time, psutil, zmq
from IPython import get_ipython
links = [link for link in psutil.Process().net_connections("inet") if link.status == "LISTEN"]
(address,) = {link.laddr for link in links}
message = get_ipython().kernel.session.serialize(get_ipython().kernel.session.msg("stream", {"name": "stdout", "text": "stranger"}))
with zmq.Context() as context, context.socket(zmq.PUSH) as socket:
    socket.connect(f"tcp://{address.ip}:{address.port}")
    socket.send_multipart([b"a guess of 16 by", *message])
    time.sleep(1)
print(address.ip)
"""


def test_the_one_port_of_a_kernel_takes_nothing_without_its_random_word(tmp_path):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(STRANGER)])
    nbformat.write(notebook, tmp_path / "in.ipynb")
    _, error, _ = run_notebook(tmp_path / "in.ipynb", tmp_path / "out.ipynb", {})
    assert error is None
    (cell,) = nbformat.read(tmp_path / "out.ipynb", 4).cells
    assert "".join(output.get("text", "") for output in cell.outputs if output.get("name") == "stdout").strip() in LOOPBACK


def test_the_lab_listens_on_loopback_and_lets_nobody_in_without_its_token(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    port = free_port()
    with subprocess.Popen(
        [*MODULE, "jupyter", "lab", "--allow-root", "--no-browser", f"--port={port}", "--ServerApp.port_retries=0"],
        cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        try:
            end, code = time.monotonic() + 300, None
            while code is None and time.monotonic() < end:
                time.sleep(0.2)
                with contextlib.suppress(urllib.error.URLError):
                    try:
                        code = urllib.request.urlopen(f"http://127.0.0.1:{port}/api/contents").status
                    except urllib.error.HTTPError as refusal:
                        code = refusal.code
            found = places_of(psutil.Process(process.pid))
        finally:
            process.terminate()
    assert code == 403 and {place.address for place in found} <= set(LOOPBACK)
