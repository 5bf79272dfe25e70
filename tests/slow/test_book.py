"""The book in a real browser: every page, wide and narrow, light and dark; tabs, search, mathematics, downloads."""

import functools
import http.server
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from book.pages import all_steps
from helpers.beyond.notebooks import FRAMEWORKS, NOTEBOOKS, TITLES
from tests.browser import chromium, open_page
from tests.conftest import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("book")]
SITE = ROOT / "book" / "_build" / "html"
CONTRAST = {"runOnly": ["color-contrast"]}
DRAWN = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"  # events of a resize or a fold are over
STILL = "* { transition: none !important; animation: none !important }"  # colors are judged when they have changed


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def site():
    """The address of the book, built anew with warnings as errors."""
    done = subprocess.run([sys.executable, "-m", "book"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    print(done.stdout)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=SITE))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


def all_pages():
    return sorted(path.relative_to(SITE).as_posix() for path in SITE.rglob("*.html") if "_static" not in path.parts)


def different_pages():
    """All pages, but of those of single exercises, which one function makes, every fifth."""
    alike = [name for name in all_pages() if re.fullmatch(r"exercises/.*\d\.\d\.html", name)]
    return [name for name in all_pages() if name not in alike or name in alike[::5]]


def findings(page, **options):
    """What axe-core finds on a page, a line each."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, options={"preload": False, **options}).response["violations"]
    return [f"{page.url}: {rule['id']}: {rule['nodes'][0]['html'][:100]}" for rule in found]


def test_pages_are_whole_and_pass_axe_wide_and_narrow_light_and_dark(site, browser):
    page, troubles = open_page(browser, site)
    requests, drawn, pictures = [], 0, 0
    page.on("request", lambda request: requests.append(request.url))
    for name in different_pages():
        page.emulate_media(color_scheme="light")
        page.set_viewport_size({"width": 1280, "height": 900})
        page.goto(site + name, wait_until="load")
        page.add_style_tag(content=STILL)
        formulas = page.locator(".math").count()
        page.wait_for_function("wanted => document.querySelectorAll('mjx-container svg').length >= wanted", arg=formulas)
        drawn += formulas
        if page.locator("mjx-merror, [data-mjx-error]").count():
            troubles.append(f"{name}: a formula could not be read")
        alts = page.eval_on_selector_all("article img", "all => all.map(image => image.alt)")
        pictures += len(alts)
        troubles += [f"{name}: a figure without a description" for alt in alts if not alt.strip()]
        troubles += [f"{name}: {count} titles" for count in [page.locator("h1:visible").count()] if count != 1]
        page.eval_on_selector_all("details", "all => all.forEach(fold => fold.open = true)")
        for width in 1280, 390:
            page.set_viewport_size({"width": width, "height": 844})
            reached = page.evaluate("document.documentElement.scrollWidth")
            troubles += [f"{name}: {reached} wide in a window of {width}"] if reached > width else []
        page.evaluate(DRAWN)
        troubles += findings(page)
        page.emulate_media(color_scheme="dark")
        troubles += findings(page, **CONTRAST)
    assert troubles == []
    assert drawn > 50 and pictures > 50
    print(f"{len(different_pages())} pages, {len(requests)} requests; {drawn} formulas, {pictures} figures; axe found nothing")


def shown(page):
    """Which framework each set of tabs shows."""
    return page.eval_on_selector_all(".sd-tab-set > input:checked + label", "all => all.map(label => label.textContent.trim())")


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_tabs_switch_everywhere_and_stay_on_all_pages(framework, site, browser):
    page, troubles = open_page(browser, site)
    page.goto(site + "steps/03_skip_gram.html")
    other, name = (TITLES[one] for one in sorted(TITLES, key=lambda one: one == framework))
    labels = page.locator("label.sd-tab-label:visible")
    labels.get_by_text(other, exact=True).first.click()
    assert set(shown(page)) == {other}
    labels.get_by_text(name, exact=True).last.click()
    assert len(shown(page)) > 3 and set(shown(page)) == {name}
    for path in "steps/05_training.html", "exercises/01.3.html", "steps/03_skip_gram.html":
        page.goto(site + path)
        page.wait_for_function("document.readyState == 'complete'")
        assert set(shown(page)) == {name}, path
    assert troubles == []


def test_the_search_box_finds_subsampling(site, browser):
    page, troubles = open_page(browser, site)
    page.goto(site + "index.html")
    page.locator("button.search-button-field").first.click()
    page.locator("input[type=search]:visible").fill("subsampling")
    page.keyboard.press("Enter")
    page.wait_for_selector("#search-results li a")
    page.wait_for_function("!document.querySelector('#search-results')?.textContent.includes('Searching')")
    found = page.eval_on_selector_all("#search-results li a", "all => all.map(link => link.getAttribute('href'))")
    assert any("steps/01_data" in target for target in found)
    assert troubles == []


def test_previous_and_next_lead_through_the_steps(site, browser):
    page, troubles = open_page(browser, site)
    page.goto(site + "index.html")
    steps, visited = [step.name for step in all_steps()], []
    for _ in steps:
        page.locator("a.right-next").click()
        page.wait_for_load_state("networkidle")
        visited.append(re.search(r"steps/(\w+)\.html", page.url)[1])
    assert visited == steps
    page.locator("a.left-prev").click()
    page.wait_for_load_state("networkidle")
    assert page.url.endswith(f"/{visited[-2]}.html")
    assert troubles == []


def test_both_notebooks_of_a_step_can_be_downloaded(site, browser):
    page, troubles = open_page(browser, site)
    page.goto(site + "steps/04_loss.html")
    for framework in FRAMEWORKS:
        with page.expect_download() as waiting:
            page.get_by_role("link", name=f"{framework}/04_loss.ipynb").click()
        assert Path(waiting.value.path()).read_bytes() == (NOTEBOOKS / framework / "04_loss.ipynb").read_bytes()
    assert troubles == []


def test_light_and_dark_can_be_chosen(site, browser):
    page, troubles = open_page(browser, site)
    page.goto(site + "steps/04_loss.html")
    themes = set()
    for _ in range(3):
        page.locator("button.theme-switch-button").first.click()
        themes.add(tuple(page.evaluate("[document.documentElement.dataset.theme, getComputedStyle(document.body).backgroundColor]")))
    assert {theme for theme, _ in themes} == {"light", "dark"} and len({color for _, color in themes}) == 2
    assert troubles == []
