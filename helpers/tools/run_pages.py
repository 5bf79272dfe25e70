"""The pages of a run: one for each executed notebook, and an index that shows what came out. They need no script and no network.

Templates and style sheet lie in `pages/`.
"""

import math
import os
import re
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from helpers.arguments import whole_file
from helpers.beyond.notebooks import NOTEBOOKS, TITLES, WIDGET, read_notebook, tags
from helpers.figures import SUMMARY
from helpers.tools.formulas import with_mathml
from helpers.tools.twins import FOLDED, name_of

PHRASES = (  # names of values and what they say; a value that no phrase takes is told by its name
    ("vocabulary pairs", "{vocabulary:,} words make {pairs:,} pairs of a center and a context word"),
    ("vocabulary embed_size", "a table of {vocabulary:,} rows and {embed_size:,} columns"),
    ("largest_score", "before training no score of a minibatch is larger in size than {largest_score:.4f}"),
    ("epoch_seconds", "an epoch takes {epoch_seconds:.1f} s"),
    ("untrained_loss common_words_loss", "untrained, the loss is {untrained_loss:.4f}; {common_words_loss:.4f} if it knows common words"),
    ("loss", "the loss is {loss:.4f}"),
    ("held_out", "the held-out loss is {held_out:.4f}"),
    ("live_floor floor num_runs",
     "another seed keeps {live_floor:.0%} of the neighbors ({floor:.0%} in the notebook's sweep of {num_runs} runs)"),
    ("cosine_after_1 cosine_after_all",
     "random pairs have a mean cosine of {cosine_after_1:.3f} after epoch 1, and {cosine_after_all:.3f} at the end"),
    ("random_cosine", "random pairs have a mean cosine of {random_cosine:.2f}"),
    ("tokens_per_second_1_rank tokens_per_second_2_ranks",
     "tokens per second: {tokens_per_second_1_rank:,} in one process, {tokens_per_second_2_ranks:,} in two"),
    ("device blocks_at_once", "{blocks_at_once:,} blocks at once on {device}"),
)  # fmt: skip
ASIDE = "framework", "notebook", "seconds", "corpus", "other_corpus", "query_token", "vocabulary"  # told elsewhere
PLOTTED = "Loss in training, by epoch: ", "on a map, by epoch"  # the index shows the figures that are described so
HEADS = {"set-up": "The cell that finds the code of this series", "imports": "What is imported"}
LEFT_OUT_CELLS = "links", "exercises-import"  # a page has its own links, and nothing to import
MARKDOWN_LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)\s]+)\)")
IMAGES = "image/svg+xml", "image/png", "image/jpeg"


class RunStep(NamedTuple):
    """A notebook of a run: its row, its framework's title, its own title, the folder of the run, and its source."""

    row: dict
    framework: str
    title: str
    out: Path
    source: Path

    def path(self, suffix=".html"):
        return self.out / self.row["framework"] / f"{self.row['notebook']}{suffix}"

    def link(self, folder, suffix=".html"):
        return link_to(self.path(suffix), folder)


class Output(NamedTuple):
    """What a code cell shows: "image", "html", "text" or "error"; an image with its caption, and its width on the page or None."""

    kind: str
    shown: str
    caption: str = ""
    width: int | None = None


def link_to(path, folder):
    """Return the address of a file as seen from a folder."""
    return quote(os.path.relpath(path, folder).replace(os.sep, "/"))


def run_step(row, out):
    """Return the RunStep of a row."""
    source = NOTEBOOKS / row["framework"] / f"{row['notebook']}.ipynb"
    source = source if source.exists() else NOTEBOOKS / "beyond" / source.name
    executed = out / row["framework"] / source.name
    prose = [cell["text"] for cell in read_notebook(executed if executed.exists() else source)["cells"] if cell["cell_type"] == "markdown"]
    title = re.search(r"^# (.+)", "\n".join(prose), re.MULTILINE)
    return RunStep(row, TITLES[row["framework"]], title[1] if title else row["notebook"], out, source)


def phrases(values):
    """Return what a notebook's values say, a phrase each."""
    found, left = [], {name: value for name, value in values.items() if value is not None}
    if left.get("epochs"):
        epochs = left.pop("epochs")
        left.pop("held_out", None)  # that of the last epoch
        first, last, held_out = epochs[0]["loss"], epochs[-1]["loss"], epochs[-1]["held_out"]
        changed = f"in {len(epochs)} epochs the training loss went from {first:.4f} to {last:.4f}"
        found.append(changed if len(epochs) > 1 else f"in one epoch the mean training loss is {last:.4f}")
        found.append("nothing was held out" if held_out is None else f"held out it is {held_out:.4f}")
        found.append(f"{epochs[-1]['pairs_per_second']:,.0f} pairs per second")
    if "similar" in left:
        near = ", ".join(f"{token} {cosine:.2f}" for token, cosine in left.pop("similar"))
        found.append(f"nearest to {left['query_token']}: {near}")
    for names, text in PHRASES:
        if set(names.split()) <= left.keys():
            found.append(text.format(**left))
            left = {name: value for name, value in left.items() if name not in names.split() or name in ASIDE}
    for name, value in left.items():
        for own, number in value.items() if isinstance(value, dict) else [(name.replace("_", " "), value)]:
            if name not in ASIDE and isinstance(number, (str, int, float)):
                found.append(f"{own} {number:{'.3f' if isinstance(number, float) else ',' if isinstance(number, int) else ''}}")
    return found


def told_phrases(parts):
    """Join phrases to a sentence. "" for none."""
    joined = "; ".join(parts)
    return f"{joined[:1].upper()}{joined[1:]}." if joined else ""


def losses(values):
    """Return all losses among a notebook's values, in their order."""
    own = [value for name, value in values.items() if name.endswith("_loss")]
    return own + [epoch[name] for epoch in values.get("epochs", [values]) for name in ("loss", "held_out") if epoch.get(name) is not None]


def alike(one, other):
    """Say in how many of four digits after the point the losses of two notebooks are equal. "" where there are none to compare.

    They are where no difference is more than half of the last digit.
    """
    pairs = list(zip(losses(one), losses(other)))
    largest = max((abs(a - b) for a, b in pairs), default=math.nan)
    if len(losses(one)) != len(losses(other)) or not math.isfinite(largest):
        return ""
    digits = next((digits for digits in (4, 3) if largest <= 0.5 * 10**-digits), 0)
    rounded = "" if all(f"{a:.{digits}f}" == f"{b:.{digits}f}" for a, b in pairs) else ", rounding aside"
    told = f"equal to {digits} digits{rounded}" if digits else f"up to {largest:.4f} apart"
    return f"PyTorch's and MXNet's {'losses' if len(pairs) == 1 else f'{len(pairs)} losses'} are {told}"


def as_html(text):
    """Return Markdown as HTML, formulas as MathML."""
    from nbconvert.filters import markdown2html

    try:
        text = with_mathml(text)
    except ValueError:  # in a reader's own notebook; the page shows it as it was typed
        pass
    page = re.sub(r'<a class="anchor-link".*?</a>', "", str(markdown2html(text)))
    return re.sub(r"<table.*?</table>", r'<div class="wide" tabindex="0">\g<0></div>', page, flags=re.DOTALL)


def linked(text, step, pages):
    """Return Markdown whose relative links lead from a step's page to other pages of the run, or to files of the series.

    A notebook that the run has no page of is no page at all: its name stays as text.
    """

    def led(match):
        target, _, place = match[2].partition("#")
        path = (step.source.parent / target).resolve()
        if ":" in target or not target:
            return match[0]
        if path not in pages and (path.suffix == ".ipynb" or not path.is_file()):
            return match[1]
        try:
            return f"[{match[1]}]({link_to(pages.get(path, path), step.path().parent)}{'#' + place if place else ''})"
        except ValueError:  # on another drive
            return match[1]

    return "".join(part if number % 2 else MARKDOWN_LINK.sub(led, part) for number, part in enumerate(re.split(r"(`+[^`]+`+)", text)))


def outputs(cell):
    """Return what a code cell shows, an Output each; a figure's description, which is printed, becomes its caption."""
    from markupsafe import Markup, escape
    from nbconvert.filters import strip_ansi

    found, captions = [], set()
    for output in cell.get("outputs", ()):
        data = {kind: "".join(value) for kind, value in output.get("data", {}).items() if kind not in (SUMMARY, WIDGET)}
        kind = next((kind for kind in IMAGES if kind in data), None)
        if kind:
            metadata = output.get("metadata", {}).get(kind, {})
            caption = metadata.get("alt", "")
            captions.add(caption)
            content = f";base64,{data[kind].strip()}" if kind != IMAGES[0] else f",{quote(data[kind])}"
            found.append(Output("image", f"data:{kind}{content}", caption, metadata.get("width")))
        elif "text/html" in data:
            found.append(Output("html", Markup(data["text/html"])))
        elif "text/markdown" in data:
            found.append(Output("html", Markup(as_html(data["text/markdown"]))))
        elif output["output_type"] == "error":
            found.append(Output("error", in_lines(escape(strip_ansi("\n".join(output["traceback"]))))))
        else:
            text = "".join(output.get("text", data.get("text/plain", "")))
            lines = [line for line in text.rstrip().split("\n") if line not in captions]
            found += [Output("text", in_lines(escape("\n".join(lines))))] if "".join(lines) else []
    return found


def lined(line):
    """Return a line of code, in HTML, as a block that knows how far it is indented: if it breaks, it goes on below its beginning."""
    text = re.sub("<[^>]*>", "", line)
    return f'<span class="line" style="--indent:{len(text) - len(text.lstrip(" "))}ch">{line}</span>'


def in_lines(markup):
    """Return lines of HTML, each as `lined` returns it."""
    from markupsafe import Markup

    return Markup("".join(lined(f"{line}\n") for line in str(markup).rstrip("\n").split("\n")))


def page_cells(step, pages):
    """Return a step's executed cells as the template takes them."""
    import nbformat
    from markupsafe import Markup
    from nbconvert.preprocessors import CoalesceStreamsPreprocessor
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    found, notebook = [], nbformat.read(step.path(".ipynb"), as_version=4)
    CoalesceStreamsPreprocessor().preprocess(notebook, {})  # leaves of a bar what stands at its end
    for cell in notebook.cells:
        name = name_of({"id": "", **cell})  # a reader's old notebook may have no ids
        if name in LEFT_OUT_CELLS:
            continue
        if cell["cell_type"] == "code":
            code = in_lines(highlight(cell.source, PythonLexer(), HtmlFormatter(nowrap=True)))
            fold = HEADS.get(name) or ("The code of this cell" if FOLDED in tags(cell) else "")
            found.append({"code": code, "fold": fold, "outputs": outputs(cell)})
        elif cell["cell_type"] == "markdown":
            found.append({"prose": Markup(as_html(linked(cell.source, step, pages)))})
    return found


def duration(seconds):
    """Say a time in minutes and seconds."""
    return f"{seconds // 60:.0f} min {seconds % 60:.0f} s" if round(seconds) >= 60 else f"{seconds:.0f} s"


def index_steps(steps, out):
    """Return the index's rows: what the frameworks have in common stands once, what they don't stands with each."""
    rows = []
    for name in sorted({step.row["notebook"] for step in steps}):
        same = [step for step in steps if step.row["notebook"] == name]
        said = [[] if "error" in step.row else phrases(step.row) for step in same]
        shared = [part for part in said[0] if all(part in parts for parts in said)] if len(same) > 1 else []
        runs, own = [], []
        for step, parts in zip(same, said):
            there, left = step.path(".ipynb").exists(), "; ".join(part for part in parts if part not in shared)
            own += [f"{step.framework}: {left}." if len(same) > 1 else told_phrases([left])] if left else []
            runs.append({
                "framework": step.framework, "name": f"{step.row['framework']}/{name}", "error": step.row.get("error"),
                "page": step.link(out) if there else None, "notebook": step.link(out, ".ipynb"),
            })  # fmt: skip
        both = len(same) == 2 and not any("error" in step.row for step in same)
        seconds = {step.framework: f"{step.row['seconds']:.1f} s" for step in same}
        rows.append({
            "title": same[0].title, "runs": runs, "shared": told_phrases(shared), "own": " ".join(own), "seconds": seconds,
            "alike": alike(*(step.row for step in same)) if both else "",
        })  # fmt: skip
    return rows


def figures_of_run(cells):
    """Return the figures of PLOTTED, each from the first step that ran to its end and shows it: the last there, of the corpus.

    `cells` are {RunStep's link: (RunStep, what `page_cells` returns)}.
    """
    found = {}
    for link, (step, shown_cells) in cells.items():
        for wanted in () if "error" in step.row else PLOTTED:
            shown_outputs = [output for cell in shown_cells for output in cell.get("outputs", ())]
            for image in [output for output in shown_outputs if output.kind == "image" and wanted in output.caption][-1:]:
                found.setdefault(wanted, {"image": image, "link": link, "title": step.title, "framework": step.framework})
    return list(found.values())


def facts_of_run(rows, run, changed):
    """Return (term, text) of what holds for all of a run: corpus, settings that are not the usual ones, versions, machine."""
    counts = next((row for row in rows if "vocabulary" in row and "pairs" in row), None)
    corpora = sorted({row["corpus"] for row in rows if "corpus" in row})
    counted = f": {counts['vocabulary']:,} words, {counts['pairs']:,} pairs of a center and a context word" if counts else ""
    told = [name + (counted if counts and name == counts.get("corpus") else "") for name in corpora]
    facts = [("Corpus", "; ".join(told))] if corpora else []
    facts.append(("Settings", "; ".join(changed) or "as in the notebooks"))
    named = {"python": "Python", "torch": "PyTorch", "mxnet": "MXNet", "numpy": "NumPy"}
    facts.append(("Versions", ", ".join(f"{title} {run['packages'][name]}" for name, title in named.items() if name in run["packages"])))
    return [*facts, ("Machine", run["machine"])]


def write_run(out, rows, run, changed):
    """Write each executed notebook of a run as a page beside it, and `index.html`, which shows what came out.

    `run` holds when it "began", its "seconds", "packages" {name: version} and "machine"; `changed` says each setting that is not
    the usual one.
    """
    from jinja2 import Environment, FileSystemLoader

    def write(path, template, **given):
        with whole_file(path) as temporary:
            temporary.write_text(templates.get_template(template).render(**given), encoding="utf-8")

    def seen_from(step, here):
        return step and {"link": step.link(here), "title": step.title, "framework": step.framework}

    loader = FileSystemLoader(Path(__file__).with_name("pages"))
    templates = Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    steps = [run_step(row, out) for row in rows]
    made = [step for step in steps if step.path(".ipynb").exists()]
    pages = {step.source: step.path() for step in made}
    cells = {step.link(out): (step, page_cells(step, pages)) for step in made}
    for step, shown in cells.values():
        here = step.path().parent
        own = [None, *(other for other in made if other.framework == step.framework), None]
        place = own.index(step)
        twins = [other for other in made if other.source.name == step.source.name and other.framework != step.framework]
        write(
            step.path(), "step.html", step=step, cells=shown, notebook=step.link(here, ".ipynb"),
            twins=[seen_from(twin, here) for twin in twins],
            previous=seen_from(own[place - 1], here), next=seen_from(own[place + 1], here),
            has_title=any("<h1" in cell.get("prose", "") for cell in shown),
        )  # fmt: skip
    failed = [step for step in steps if "error" in step.row]
    told = f"Began {run['began']}, took {duration(run['seconds'])} for {len(rows)} notebooks"
    files = [("summary.json", "all values of this page, for programs")]
    files += [(link_to(path, out), "the vectors of the words") for path in sorted(out.glob("*/*.safetensors"))]
    write(
        out / "index.html", "index.html", name=out.name, failed=failed,
        told=f"{told}; {len(failed)} did not run to the end." if failed else f"{told}.", facts=facts_of_run(rows, run, changed),
        figures=figures_of_run(cells), steps=index_steps(steps, out), files=files, packages=run["packages"].items(),
        frameworks=list(dict.fromkeys(step.framework for step in steps)),
    )  # fmt: skip
