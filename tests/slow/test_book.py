"""The book in a real browser: every page, wide and narrow, light and dark, on paper, without JavaScript; search, downloads."""

import io
import re
import subprocess
import sys
import zipfile

import pytest

from book.pages import all_steps
from helpers.beyond.notebooks import FRAMEWORKS
from tests.browser import STILL, chromium, open_page, served
from tests.conftest import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("book")]
SITE = ROOT / "book" / "_build" / "html"
CONTRAST = {"runOnly": ["color-contrast"]}
DRAWN = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"  # events of a resize or a fold are over
# what looks the same on all pages and makes axe slow: the words of code and the tables of numbers
ALIKE = """() => { for (const line of document.querySelectorAll('pre .line')) line.textContent = line.textContent;
    for (const numbers of document.querySelectorAll('details:not(.fold) table')) numbers.remove(); }"""


@pytest.fixture(scope="module")
def site():
    """The address of the book, built anew with warnings as errors."""
    done = subprocess.run([sys.executable, "-m", "book"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    print(done.stdout)
    with served(SITE) as address:
        yield address


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


def all_pages():
    return sorted(path.relative_to(SITE).as_posix() for path in SITE.rglob("*.html") if "_static" not in path.parts)


def findings(page, **options):
    """What axe-core finds on a page, a line each."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, options={"preload": False, **options}).response["violations"]
    return [f"{page.url}: {rule['id']}: {rule['nodes'][0]['html'][:100]}" for rule in found]


def test_pages_are_whole_and_pass_axe_wide_and_narrow_light_and_dark(site, browser):
    page, troubles = open_page(browser, site)
    requests, drawn, pictures = [], 0, 0
    page.on("request", lambda request: requests.append(request.url))
    for name in all_pages():
        page.emulate_media(color_scheme="light")
        page.set_viewport_size({"width": 1280, "height": 900})
        page.goto(site + name, wait_until="load")
        page.add_style_tag(content=STILL)
        drawn += page.locator("math").count()
        alts = page.eval_on_selector_all("article img", "all => all.map(image => image.alt)")
        pictures += len(alts)
        troubles += [f"{name}: a figure without a description" for alt in alts if not alt.strip()]
        troubles += [f"{name}: {count} titles" for count in [page.locator("h1:visible").count()] if count != 1]
        if page.locator("article :is(details, .framework, .exercise) :is(h1, h2, h3)").count():
            troubles.append(f"{name}: a heading in a block")
        page.eval_on_selector_all("details", "all => all.forEach(fold => fold.open = true)")
        for width in 1280, 390:
            page.set_viewport_size({"width": width, "height": 844})
            reached = page.evaluate("document.documentElement.scrollWidth")
            troubles += [f"{name}: {reached} wide in a window of {width}"] if reached > width else []
        if "training" not in name:
            page.evaluate(ALIKE)
        page.evaluate(DRAWN)
        troubles += findings(page)
        page.emulate_media(color_scheme="dark")
        troubles += findings(page, **CONTRAST)
    assert troubles == []
    assert drawn > 50 and pictures > 50
    print(f"{len(all_pages())} pages, {len(requests)} requests; {drawn} formulas, {pictures} figures; axe found nothing")


WRAPPED = """pres => pres.flatMap(pre => [...pre.querySelectorAll('.line')])
    .filter(line => line.offsetHeight > 1.5 * parseFloat(getComputedStyle(line).lineHeight)).map(line => line.textContent)"""
TOO_WIDE = "pres => pres.filter(pre => pre.scrollWidth > pre.clientWidth).map(pre => pre.textContent)"
CUT = "all => all.filter(box => box.scrollWidth > box.clientWidth + 1).map(box => box.textContent.trim().slice(0, 80))"
EMOJI = re.compile("[\U0001f300-\U0001faff]")
CODE = ".bd-article div:not(.output) > div.highlight pre"


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_lines_of_code_are_whole_on_wide_screens_and_break_on_narrow_ones(framework, site, browser):
    page, troubles = open_page(browser, site)
    broken = 0
    for step in all_steps():
        page.goto(f"{site}steps/{step.name}.html", wait_until="load")
        page.evaluate("framework => document.documentElement.dataset.framework = framework", framework)
        page.eval_on_selector_all("details", "all => all.forEach(fold => fold.open = true)")
        for width in 1440, 1920, 1024, 390:
            page.set_viewport_size({"width": width, "height": 900})
            troubles += [f"{step.name}, {width}: {text}" for text in page.eval_on_selector_all(".bd-article pre", TOO_WIDE)]
            wrapped = page.eval_on_selector_all(CODE, WRAPPED)
            broken += len(wrapped) if width == 390 else 0
            troubles += [f"{step.name}, {width}: breaks: {line}" for line in wrapped] if width >= 1440 else []
    assert troubles == []
    assert broken > 100


def shown(page):
    """Which frameworks' blocks are in sight."""
    return set(page.eval_on_selector_all(".framework", "all => all.filter(one => one.checkVisibility()).map(one => one.classList[1])"))


def test_the_switch_works_by_keyboard_keeps_the_place_and_is_remembered(site, browser):
    page, troubles = open_page(browser, site)
    page.goto(site + "steps/03_skip_gram.html")
    assert shown(page) == {"pytorch"}
    chosen = page.get_by_role("group", name="Framework").get_by_role("radio", checked=True)
    place = page.get_by_role("heading", name="The corpus")
    place.scroll_into_view_if_needed()
    before = place.bounding_box()["y"]
    chosen.focus()
    page.keyboard.press("ArrowRight")
    assert shown(page) == {"mxnet"} and chosen.get_attribute("value") == "mxnet"
    assert abs(place.bounding_box()["y"] - before) < 2
    page.goto(site + "steps/05_training.html")
    assert shown(page) == {"mxnet"}
    page.get_by_role("radio", name="PyTorch").check()
    page.goto(site + "steps/03_skip_gram.html")
    assert shown(page) == {"pytorch"}
    assert troubles == []


def test_a_page_without_storage_still_switches(site, browser):
    page, troubles = open_page(browser, site)
    page.add_init_script("Storage.prototype.setItem = () => { throw new Error('no storage') }")
    page.goto(site + "steps/03_skip_gram.html")
    page.get_by_role("radio", name="MXNet").check()
    assert shown(page) == {"mxnet"}
    assert set(troubles) <= {"error: no storage"}  # of the theme


def test_without_javascript_a_page_is_light_and_shows_both_frameworks_and_its_formulas(site, browser):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(site + "steps/03_skip_gram.html")
    assert page.locator("html").get_attribute("data-theme") == "light"
    assert page.locator(".framework:visible").count() == page.locator(".framework:not(details .framework)").count() > 2
    assert page.locator(".framework-switch").is_hidden()
    assert page.locator("math:visible").count() > 20 and "$" not in page.locator("article").inner_text()
    context.close()


@pytest.mark.parametrize("step", [step.name for step in all_steps()][::3])
def test_on_paper_no_word_of_code_is_lost_and_dark_is_light(step, site, browser):
    from pypdf import PdfReader

    page, troubles = open_page(browser, site)
    page.emulate_media(color_scheme="dark")
    page.goto(f"{site}steps/{step}.html")
    page.evaluate("addEventListener('beforeprint', () => document.title = document.documentElement.dataset.theme)")
    page.wait_for_function("document.documentElement.dataset.theme == 'dark'")
    printed = "".join(sheet.extract_text() for sheet in PdfReader(io.BytesIO(page.pdf())).pages)
    printed = re.sub(r"[\s\0]", "", printed)  # a letter that pypdf can't read, as of emoji, is a zero
    chosen = "all => all.filter(one => !one.closest('.framework.mxnet')).flatMap(one => one.innerText.split('\\n'))"
    lines = page.eval_on_selector_all(CODE, chosen)
    lost = [line for line in lines if line.strip() and EMOJI.sub("", line.split()[-1]) not in printed]
    assert len(lines) > 100 and lost == []
    assert page.title() == "light" and page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.locator("details.fold[open]").count() == 0
    answers = "all => all.filter(one => one.firstElementChild.textContent == 'Answer' && !one.closest('.framework.mxnet'))"
    answers = page.eval_on_selector_all("details", answers + ".map(one => one.textContent.trim().split(/\\s+/).at(-1))")
    assert len(answers) == 3 and all(answer in printed for answer in answers)
    page.set_viewport_size({"width": 718, "height": 1000})  # A4 between its margins
    page.emulate_media(media="print")
    lost = "all => all.filter(one => !one.closest('.framework.mxnet') && !one.getBoundingClientRect().height).map(one => one.alt)"
    assert page.eval_on_selector_all("article figure img", lost) == []
    assert page.eval_on_selector_all("article :is(table, div):not(details *)", CUT) == []
    assert troubles == []


@pytest.mark.parametrize(
    "words, lesson", [("overfitting", "05"), ("CBOW", "17"), ("unigram", "01"), ("negative sampling", "03"), ("subsampling", "01")]
)
def test_the_search_finds_the_step_that_teaches_it_first(words, lesson, site, browser):
    page, troubles = open_page(browser, site)
    page.goto(site + "index.html")
    page.locator("button.search-button-field").first.click()
    page.locator("input[type=search]:visible").fill(words)
    page.keyboard.press("Enter")
    page.wait_for_selector("#search-results li a")
    page.wait_for_function("!document.querySelector('#search-results')?.textContent.includes('Searching')")
    found = page.eval_on_selector_all("#search-results li a", "all => all.map(link => link.getAttribute('href'))")
    assert found[0].startswith(f"steps/{lesson}_"), found
    in_steps = [target.startswith("steps/") for target in found]
    assert in_steps == sorted(in_steps, reverse=True)  # lessons first
    assert troubles == []


def test_previous_and_next_lead_through_the_steps(site, browser):
    page, troubles = open_page(browser, site)
    page.goto(site + "index.html")
    steps, visited = [step.name for step in all_steps()], []
    for _ in steps:
        page.locator("a.right-next").click()
        page.wait_for_load_state("networkidle")
        visited.append(re.search(r"steps/(\w+)\.html", page.url)[1])
        prose = page.locator("article p").all_inner_texts()
        assert [text for text in prose if text.startswith(("Next: ", "or ")) or "All steps" in text] == []  # the theme leads on
    assert visited == steps
    page.locator("a.left-prev").click()
    page.wait_for_load_state("networkidle")
    assert page.url.endswith(f"/{visited[-2]}.html")
    assert troubles == []


def test_the_series_can_be_downloaded_and_figures_open_full_size(site, browser):
    page, troubles = open_page(browser, site)
    page.goto(site + "steps/04_loss.html")
    with page.expect_download() as waiting:
        page.get_by_role("link", name="download the series").click()
    with zipfile.ZipFile(waiting.value.path()) as packed:
        assert "word2vec/notebooks/pytorch/04_loss.ipynb" in packed.namelist()
    figures = page.eval_on_selector_all("figure", "all => all.map(one => one.querySelector('a:has(img)')?.href)")
    assert figures and all(page.request.get(figure).body().startswith(b"\x89PNG") for figure in figures)
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
