"""A run's pages in a browser that may open nothing but files: whole, readable on a phone, in the dark and on paper."""

import pytest

from tests.browser import chromium
from tests.slow.test_book import ALIKE, findings
from tests.test_run_pages import committed_rows, run_of

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("run pages")]
LOOKED_AT = "index", "mxnet/03_skip_gram", "pytorch/12_evaluation"
OPEN_ALL = "all => all.forEach(fold => fold.open = true)"


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    """The folder of a run of the whole series, one notebook of which failed."""
    out = tmp_path_factory.mktemp("run")
    rows = list(committed_rows())
    rows[2][0]["error"] = "ValueError: a cell's error"
    run_of(rows, out)
    return out


@pytest.fixture(scope="module")
def page(out):
    """A page of a browser that refuses every request but for files, and the list of what was refused or went wrong."""
    with chromium() as browser:
        page, troubles = browser.new_page(), []

        def answer(route):
            if route.request.url.startswith(("file://", "data:")):
                route.continue_()
            else:
                troubles.append(route.request.url)
                route.abort()

        page.route("**/*", answer)
        page.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
        yield page, troubles


def test_every_page_opens_without_a_request_and_fits_into_a_window_and_a_phone(out, page):
    page, troubles = page
    names = sorted(out.rglob("*.html"))
    for path in names:
        page.goto(path.as_uri())
        page.eval_on_selector_all("details", OPEN_ALL)
        for width in 1440, 390:
            page.set_viewport_size({"width": width, "height": 844})
            if (reached := page.evaluate("document.documentElement.scrollWidth")) > width:
                troubles.append(f"{path}: {reached} wide in a window of {width}")
            cut = page.eval_on_selector_all("pre, .formula", "all => all.filter(box => box.scrollWidth > box.clientWidth).length")
            troubles += [f"{path}: {cut} blocks are cut off in a window of {width}"] if cut else []
        broken = page.eval_on_selector_all("img", "all => all.filter(image => !image.naturalWidth).length")
        marks = page.eval_on_selector_all("summary", "all => all.filter(one => getComputedStyle(one).display != 'list-item').length")
        troubles += [f"{path}: {broken} figures, {marks} triangles are missing"] if broken or marks else []
    assert troubles == [] and len(names) > 20


@pytest.mark.parametrize("name", LOOKED_AT)
def test_axe_finds_nothing_wide_and_narrow_light_and_dark(name, out, page):
    page, _ = page
    page.goto((out / f"{name}.html").as_uri())
    page.eval_on_selector_all("details", "all => all.slice(0, 4).forEach(fold => fold.open = true)")  # more of them is more of the same
    if "evaluation" in name:  # a long page; how code looks is seen on the other
        page.evaluate(ALIKE)
    found = []
    for width, scheme in ((1440, "light"), (390, "dark")):
        page.set_viewport_size({"width": width, "height": 844})
        page.emulate_media(color_scheme=scheme)
        found += findings(page)
    assert found == []


def test_on_paper_no_code_is_cut_off_and_colors_are_those_of_light(out, page):
    page, _ = page
    page.set_viewport_size({"width": 718, "height": 1000})  # A4 between its margins
    page.emulate_media(media="print", color_scheme="dark")
    page.goto((out / "pytorch" / "05_training.html").as_uri())
    folded = page.eval_on_selector_all("details:not(:has(table)) pre", "all => all.map(box => box.getBoundingClientRect().height)")
    assert folded and min(folded) > 0
    cut = page.eval_on_selector_all("pre, img, .formula", "all => all.filter(box => box.scrollWidth > box.clientWidth).length")
    assert cut == 0 and page.evaluate("document.documentElement.scrollWidth") <= 718
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(34, 40, 50)"
    assert not page.get_by_role("navigation").first.is_visible()
    page.emulate_media(media="screen")
