"""The pages of a run: links that lead somewhere, an index that shows what came out and claims nothing else."""

import copy
import html
import json
import re
import shutil
from html.parser import HTMLParser
from urllib.parse import unquote

import pytest

from helpers.beyond.notebooks import FRAMEWORKS, NOTEBOOKS, ROOT, TITLES, lessons, read_notebook
from helpers.figures import SUMMARY
from helpers.tools.course import about_run, changed_settings
from helpers.tools.run_pages import alike, phrases, told_phrases, write_run
from helpers.tools.twins import write_notebook

ABOUT = {"began": "2026-11-26 19:05", "seconds": 252.4, "machine": "Linux, 2 cores", "packages": {"python": "3.11.7", "torch": "2.14.1"}}


def committed_rows():
    """The rows that a run with the committed notebooks' outputs would have, and the notebooks' paths."""
    for number, framework in enumerate(FRAMEWORKS):
        for path in lessons(framework, beyond=number == 0):
            shown = [output.get("data", {}).get(SUMMARY, {}) for cell in read_notebook(path)["cells"] for output in cell.get("outputs", ())]
            values = {name: value for found in shown for name, value in found.items()}
            yield {"seconds": 1.5, **values, "framework": framework, "notebook": path.stem}, path


def run_of(rows, out, **options):
    """Write the pages of a run with these rows and paths; returns its index."""
    for row, path in rows:
        (out / row["framework"]).mkdir(parents=True, exist_ok=True)
        shutil.copy(path, out / row["framework"])
    (out / "summary.json").touch()
    write_run(out, [row for row, _ in rows], ABOUT, options.get("changed", []))
    return (out / "index.html").read_text(encoding="utf-8")


class Page(HTMLParser):
    """What a page links to, loads and shows."""

    def __init__(self, path):
        super().__init__()
        self.links, self.loaded, self.tags, self.alts, self.tables = [], [], [], [], 0
        self.text = path.read_text(encoding="utf-8")
        self.feed(self.text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.tags.append(tag)
        self.tables += tag == "table"
        if tag == "a":
            self.links.append(given["href"])
        if tag == "img":
            self.alts.append(given["alt"])
        self.loaded += [given[name] for name in ("src", "srcset", "data", "poster") if name in given]
        self.loaded += [given["href"]] if tag == "link" else []


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The folder of a run of the whole series, its rows with their notebooks, its pages by their names."""
    out = tmp_path_factory.mktemp("runs") / "a run's folder"
    rows = list(committed_rows())
    run_of(rows, out)
    return out, rows, {path.relative_to(out).as_posix(): Page(path) for path in sorted(out.rglob("*.html"))}


@pytest.fixture
def few(tmp_path):
    """A function that writes a run of some rows, changed by `change`, and returns its index."""
    rows = [(copy.deepcopy(row), path) for row, path in committed_rows() if row["notebook"][:2] in ("01", "05")]

    def write(change=lambda row: None, **options):
        for row, _ in rows:
            change(row)
        return run_of(rows, tmp_path / "out", **options)

    return write


def test_every_link_of_every_page_leads_somewhere_and_nothing_is_loaded_from_anywhere(run):
    out, rows, pages = run
    assert len(pages) == 1 + len(rows)
    for name, page in pages.items():
        targets = [unquote(link.split("#")[0]) for link in page.links if not link.startswith("https://")]
        paths = [(out / name).parent.joinpath(target).resolve() for target in targets if target]
        assert [path for path in paths if not path.is_file()] == [], name
        assert [target for target in targets if target.startswith(("/", "file:"))] == [], f"{name} would not work in another folder"
        assert [path for path in paths if path.suffix == ".ipynb" and out not in path.parents] == [], name
        assert [source[:20] for source in page.loaded if not source.startswith("data:")] == [], name
        assert not {"script", "iframe", "object", "base"} & set(page.tags) and page.tags.count("h1") == 1, name
        assert name == "index.html" or "../index.html" in page.links


def test_pages_name_their_step_and_lead_through_their_framework_and_to_the_twin(run):
    _, _, pages = run
    names = [path.stem for path in lessons("pytorch")]
    for number, path in enumerate(lessons("pytorch")):
        page = pages[f"pytorch/{path.stem}.html"]
        title = read_notebook(path)["cells"][0]["text"].split("\n")[0].removeprefix("# ")
        assert f"<title>{html.escape(title)} (PyTorch)</title>" in page.text
        assert (f"../mxnet/{path.stem}.html" in page.links) == (f"mxnet/{path.stem}.html" in pages)
        assert {f"{names[place]}.html" for place in (number - 1, number + 1) if 0 <= place < len(names)} <= set(page.links)


def test_formulas_figures_descriptions_and_tables_of_numbers_stay(run):
    _, rows, pages = run
    for row, path in rows:
        page = pages[f"{row['framework']}/{path.stem}.html"]
        outputs = [output for cell in read_notebook(path)["cells"] for output in cell.get("outputs", ())]
        alts = [output["metadata"]["image/png"]["alt"] for output in outputs if "image/png" in output.get("data", {})]
        assert page.alts == alts and all(alts), path
        assert page.tables >= sum("".join(output.get("data", {}).get("text/html", "")).count("<table") for output in outputs), path
        prose = re.sub(r"<(pre|code|style)\b.*?</\1>|\"data:[^\"]*\"", "", page.text, flags=re.DOTALL)
        assert not re.search(r"\$|\\[a-z]+", prose), path


def test_the_index_shows_curve_map_steps_and_facts(run):
    _, rows, pages = run
    page, index = pages["index.html"], html.unescape(pages["index.html"].text)
    assert [alt.split(":")[0] for alt in page.alts] == ["Loss in training, by epoch", "Six groups of words on a map, by epoch"]
    assert index.count("<tr>") == 1 + len(lessons("pytorch"))
    assert f"2026-11-26 19:05, took 4 min 12 s for {len(rows)} notebooks." in index and "Python 3.11.7, PyTorch 2.14.1" in index
    assert re.search(r"ptb: [\d,]+ words, [\d,]+ pairs", index) and index.count("ptb:") == 1
    for row, path in rows:
        assert f'href="{row["framework"]}/{path.stem}.html">{TITLES[row["framework"]]}</a>' in index
        assert phrases(row) and [part for part in phrases(row) if part[1:] not in index] == [], path


@pytest.mark.parametrize("change, told", [
    (0, "are equal to 4 digits"), (4.9e-5, "are equal to 4 digits, rounding aside"), (4e-4, "are equal to 3 digits, rounding aside"),
    (0.02, "are up to 0.0200 apart"),
])  # fmt: skip
def test_losses_are_called_equal_only_where_they_are(few, change, told):
    def set_losses(row):
        for epoch in row.get("epochs", ()):
            epoch["loss"] = 0.40034 + change * (row["framework"] == "mxnet")
            epoch["held_out"] = 0.5

    index = few(set_losses)
    assert index.count(" losses are ") == 1 and told in html.unescape(index)


def test_no_number_and_other_numbers_of_losses_are_no_equality():
    one = {"epochs": [{"loss": 0.4, "held_out": None, "pairs_per_second": 1.0}]}
    assert "are equal" in alike(one, one) and alike({}, {}) == "" and alike(one, {}) == ""
    assert alike(one, {"epochs": one["epochs"] * 2}) == ""
    assert alike({"loss": float("nan")}, {"loss": float("nan")}) == "" and alike({"pairs": 3}, {"pairs": 3}) == ""
    assert told_phrases(phrases(one)) == "In one epoch the mean training loss is 0.4000; nothing was held out; 1 pairs per second."


def test_a_value_that_no_phrase_takes_is_told_by_its_name():
    assert told_phrases(phrases({"corpus": "ptb", "new_score": 0.12345, "num_trees": 1200, "kind": "tall", "none": None})) == (
        "New score 0.123; num trees 1,200; kind tall."
    )
    assert told_phrases(phrases({"loss": 0.5, "held_out": 0.45678})) == "The loss is 0.5000; the held-out loss is 0.4568."
    assert alike({"loss": 0.5, "held_out": 0.4}, {"loss": 0.5, "held_out": 0.4}).startswith("PyTorch's and MXNet's 2 losses are equal")


def test_a_failed_half_is_told_with_its_error_and_names_are_no_html(few, tmp_path):
    def fail(row):
        row["corpus"] = "<b>&.txt"
        if row["framework"] == "mxnet" and "epochs" in row:
            row.pop("epochs")
            row["error"] = "ValueError: <script>alert(1)</script> is no loss"

    index = few(fail, changed=["corpus <i>"])
    assert index.count("ValueError: &lt;script&gt;") == 2 and "<script" not in index
    assert "&lt;b&gt;&amp;.txt" in index and "corpus &lt;i&gt;" in index
    assert "; 1 did not run to the end." in index and "losses are" not in index and re.search(r"PyTorch: in \d+ epochs", index)
    page = (tmp_path / "out" / "mxnet" / "05_training.html").read_text(encoding="utf-8")
    assert "did not run to its end" in page and "<script" not in page


def test_a_step_that_left_no_notebook_is_named_without_a_link(tmp_path):
    row = {"framework": "pytorch", "notebook": "03_skip_gram", "seconds": 0.0, "error": "the process of this half was ended by SIGKILL"}
    write_run(tmp_path, [row], ABOUT, [])
    index = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "pytorch/03_skip_gram" in index and "03_skip_gram.html" not in index and "SIGKILL" in index and "3. Skip-gram" in index
    assert not list(tmp_path.rglob("*/*.html"))


def test_without_a_step_5_that_ran_to_its_end_the_curve_is_the_next_ones(tmp_path):
    rows = [(row, path) for row, path in committed_rows() if row["framework"] == "pytorch" and row["notebook"][:2] in ("05", "08")]
    rows[0][0]["error"] = "stopped; what was made stays"
    index = run_of(rows, tmp_path)
    assert len(Page(tmp_path / "index.html").alts) == 1 and "8. Blocks" in index.split("</figure>")[0]


def test_a_cells_error_its_text_and_a_formula_of_ones_own_are_shown_as_they_are(tmp_path):
    path = NOTEBOOKS / "pytorch" / "01_data.ipynb"
    notebook = read_notebook(path)
    traceback = ["\x1b[0;31mValueError\x1b[0m: no <words>"]
    notebook["cells"] = [
        {"id": "title", "cell_type": "markdown", "metadata": {}, "text": r"# Mine & yours" + "\n\nSo $\\nosuch{x}$ is."},
        {"id": "one", "cell_type": "code", "metadata": {}, "execution_count": 1, "text": "a <= b", "outputs": [
            {"output_type": "stream", "name": "stdout", "text": "1 < 2\n"},
            *({"output_type": "stream", "name": "stdout", "text": f"\repoch {number}/3"} for number in range(4)),
            {"output_type": "error", "ename": "ValueError", "evalue": "", "traceback": traceback},
            {"output_type": "display_data", "metadata": {}, "data": {
                "application/vnd.jupyter.widget-view+json": {}, "text/plain": "a slider, with a kernel"}},
        ]},
    ]  # fmt: skip
    (tmp_path / "pytorch").mkdir()
    for cell in notebook["cells"]:
        cell["source"] = cell["text"]
    write_notebook(tmp_path / "pytorch" / "01_data.ipynb", notebook)
    write_run(tmp_path, [{"framework": "pytorch", "notebook": "01_data", "seconds": 1.0}], ABOUT, [])
    page = (tmp_path / "pytorch" / "01_data.html").read_text(encoding="utf-8")
    for shown in ("<title>Mine &amp; yours (PyTorch)", "\\nosuch{x}", "1 &lt; 2", "no &lt;words&gt;", "a slider, with a kernel"):
        assert shown in page
    assert "\x1b" not in page and re.findall(r"epoch \d/3", page) == ["epoch 3/3"]


def test_settings_are_told_where_they_are_not_the_usual_ones():
    notebooks = [read_notebook(path) for path in lessons("pytorch")]
    told = changed_settings({"embed_size": 100, "lr": 0.5, "corpus": "/a/b.txt"}, notebooks, True, "letters")
    assert [line.split(" (")[0] for line in told] == ["lr 0.5", "corpus /a/b.txt", "vectors by step 8's trainer"]
    assert "in the notebooks ptb" in told[1] and changed_settings({}, notebooks, False, "letters") == []


def test_a_run_knows_its_time_its_machine_and_its_packages():
    import datetime

    run = about_run(datetime.datetime.now() - datetime.timedelta(seconds=90))
    assert 90 <= run["seconds"] < 150 and {"python", "torch", "numpy"} <= run["packages"].keys() and "cores" in run["machine"]
    json.dumps(run)


def test_what_pages_are_made_of_is_the_series_own():
    from helpers.tools.exports import own_files

    made_of = set((ROOT / "helpers" / "tools" / "pages").iterdir())
    assert len(made_of) == 6 and made_of <= own_files()
