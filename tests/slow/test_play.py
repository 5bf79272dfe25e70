""" "Press play" in Chromium: the trainer against NumPy, what it learns, and the page as a reader uses it, opened as a file."""

import contextlib
import json
import re
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest

from book.__main__ import BUILT
from book.play_text import HERE, PAGE, pack_ids, press_play, write_play
from helpers.examples import initial_tables
from tests.browser import STILL, chromium, open_page, served

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("book")]
MOST_MILLISECONDS = 100  # of a task on the page's thread, in the processor's time: so other work on the machine does not count
MUSIC = {"songs", "song", "folk", "poetry", "dance", "dances", "musical", "comedy", "genres", "festivals", "movies", "literature"}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The address of a book of one page, in the book's own style, as a file."""
    folder = tmp_path_factory.mktemp("play")
    write_play(BUILT / "static")
    (folder / "pages").mkdir()
    text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", PAGE)  # here are no other pages
    (folder / "pages" / "index.md").write_text(f"{text}\n{press_play('')}\n", encoding="utf-8")
    options = ["-q", "-c", str(HERE.parent), "-d", str(folder / "doctrees")]
    command = [sys.executable, "-m", "sphinx", *options, str(folder / "pages"), str(folder / "html")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return f"file://{folder}/html/"


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


class Play:
    """The page, opened anew, and what a reader does and sees on it."""

    def __init__(self, browser, site, **media):
        self.page, self.troubles = open_page(browser, site)
        self.page.emulate_media(**media)
        self.page.set_viewport_size({"width": 1440, "height": 900})
        self.page.goto(f"{site}index.html")
        self.page.add_style_tag(content=STILL)

    def part(self, name):
        return self.page.locator(f"[data-id='{name}']")

    def text(self, name):
        return self.part(name).inner_text()

    def click(self, name):
        self.part(name).click()

    def setting(self, name):
        return self.page.locator(f"[data-id='settings'] [name='{name}']")

    def wait_for_text(self, name, words):
        told = "([name, words]) => document.querySelector(`[data-id='${name}']`).textContent.includes(words)"
        self.page.wait_for_function(told, arg=[name, words], timeout=120_000)

    def wait_for(self, *states):
        self.page.wait_for_function("states => states.includes(document.querySelector('.live').dataset.state)", arg=states, timeout=120_000)

    def digits(self):
        """The numbers of each pass, and the neighbors."""
        rows = "all => all.map(row => [...row.cells].map(cell => cell.textContent))"
        return [self.page.eval_on_selector_all(f"[data-id={name}] tbody tr", rows) for name in ("passes", "near")]

    def picture(self):
        """All that moves: the map, the curve, the numbers."""
        self.page.wait_for_timeout(50)
        return self.page.eval_on_selector(".live", "live => live.innerHTML")

    def tab_to(self, selector, key="Tab"):
        """Press Tab until the focus is on what the selector names."""
        for _ in range(100):
            if self.page.evaluate("selector => document.activeElement.matches(selector)", selector):
                return
            self.page.keyboard.press(key)
        raise AssertionError(f"{key} does not lead to {selector}")

    def drop(self, path):
        """Drop a file onto the map, as the browser does for a file from another window."""
        self.part("map").scroll_into_view_if_needed()
        box, tools = self.part("map").bounding_box(), self.page.context.new_cdp_session(self.page)
        data = {"items": [], "files": [str(path)], "dragOperationsMask": 1}
        for kind in "dragEnter", "dragOver", "drop":
            tools.send("Input.dispatchDragEvent", {"type": kind, "x": box["x"] + 20, "y": box["y"] + 20, "data": data})

    def own_troubles(self):
        """What went wrong, but for the icons' fonts, which Chromium gives no page that was opened as a file."""
        fonts = "webfonts", "console: Failed to load resource: net::ERR_FAILED"
        return [trouble for trouble in self.troubles if not any(part in trouble for part in fonts)]


@contextlib.contextmanager
def short_tasks(browser, page):
    """Check that nothing in the `with` block, a pass or more, kept the page's thread busy for long."""
    browser.start_tracing(page=page, categories=["toplevel"])
    yield
    events = json.loads(browser.stop_tracing())["traceEvents"]
    threads = {(event["pid"], event["tid"]) for event in events if "RendererMain" in event["args"].get("name", "")}
    tasks = [event for event in events if "RunTask" in event["name"] and (event["pid"], event["tid"]) in threads]
    longest = [max(event.get(kind, 0) for event in tasks) / 1000 for kind in ("tdur", "dur")]
    print(f"{len(tasks)} tasks on the page's thread: the longest took {longest[0]:.0f} ms, {longest[1]:.0f} ms by the clock")
    assert len(tasks) > 20 and 0 < longest[0] < MOST_MILLISECONDS  # each look is a task, and a pass has 20; frames depend on the machine


def findings(play):
    """What axe-core finds on the page as it is, wide and narrow, light and dark; and whether something is wider than the window."""
    from axe_playwright_python.sync_playwright import Axe

    found = []
    for width in 1440, 390:
        play.page.set_viewport_size({"width": width, "height": 900})
        for theme in "light", "dark":
            play.page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
            options = {"preload": False, "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}
            violations = Axe().run(play.page, context=".press-play", options=options).response["violations"]
            found += [f"{width} {theme} {rule['id']}: {node['html'][:90]}" for rule in violations for node in rule["nodes"]]
        reached = play.page.evaluate("document.documentElement.scrollWidth")
        found += [f"{reached} wide in a window of {width}"] if reached > width else []
    play.page.set_viewport_size({"width": 1440, "height": 900})
    return found


def stops(play):
    """What Tab alone reaches in the part of the page that is ours, and all that a reader can act on there, in the page's order."""
    inside = "document.activeElement.closest('.press-play, .press-play-license') !== null"
    while play.page.evaluate(inside):
        play.page.keyboard.press("Shift+Tab")
    everything = play.page.evaluate("""() => {
        const found = document.querySelectorAll(":is(.press-play, .press-play-license) :is(a, button, input, select, textarea, summary)");
        const shown = [...found].filter((one) => one.checkVisibility() && !one.matches(":disabled"));
        shown.forEach((one, i) => { one.dataset.stop = one.type === "radio" ? one.name : `${i} ${one.textContent.slice(0, 20)}`; });
        return [...new Set(shown.map((one) => one.dataset.stop))];
    }""")
    reached = []
    play.page.keyboard.press("Tab")
    while play.page.evaluate(inside) and len(reached) < 100:
        reached.append(play.page.evaluate("document.activeElement.dataset.stop"))
        play.page.keyboard.press("Tab")
    return reached, everything


# The trainer ---------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trainer(browser):
    """A page with the trainer alone."""
    page = browser.new_page()
    page.add_script_tag(path=HERE / "trainer.js")
    return page


def test_one_pair_is_step_fives_step_by_hand(trainer):
    embed_v, embed_u = (table.astype(np.float64) for table in initial_tables(4, 2, 0))
    v, u = embed_v[1], embed_u[[2, 3]]
    change = 0.05 * (np.array([1, 0]) - 1 / (1 + np.exp(-u @ v)))  # the mean over two positions: half of 0.1 for each
    rows = trainer.evaluate(
        """([embedV, embedU]) => {
            const run = { embedV: Float32Array.from(embedV), embedU: Float32Array.from(embedU), size: 2, step: new Float64Array(2) };
            const losses = [[2, 1], [3, 0]].map(([word, label]) => wordTrainer().ask(run, 1, word, label, 0.05));
            return [[...run.embedV.slice(2, 4)].map((x, d) => x + run.step[d]), [...run.embedU.slice(4)], losses];
        }""",
        [embed_v.ravel().tolist(), embed_u.ravel().tolist()],
    )
    assert rows[0] == pytest.approx(v + change @ u, abs=1e-6) and np.allclose(rows[0], [-0.1032, -0.5361], atol=1e-4)
    assert rows[1] == pytest.approx((u + change[:, None] * v).ravel(), abs=1e-6)
    assert rows[2] == pytest.approx([np.log1p(np.exp(-u[0] @ v)), np.log1p(np.exp(u[1] @ v))], abs=1e-6)


def mulberry32(seed):
    """Source: Tommy Ettinger 2017, https://gist.github.com/tommyettinger/46a874533244883189143505d203312c."""
    while True:
        seed = (seed + 0x6D2B79F5) & 0xFFFFFFFF
        mixed = (seed ^ seed >> 15) * (seed | 1) & 0xFFFFFFFF
        mixed ^= mixed + ((mixed ^ mixed >> 7) * (mixed | 61) & 0xFFFFFFFF) & 0xFFFFFFFF
        yield (mixed ^ mixed >> 14) / 2**32


def trained_by_numpy(ids, keep, noise, embed_v, embed_u, lr, window, num_noise_words, random):
    """One pass, as the docstrings of trainer.js tell it; returns how many context words it went over. The tables are changed."""
    ids = [word for word in ids if not word or next(random) < keep[word]]
    order = [at for at, word in enumerate(ids) if word]
    for last in range(len(order) - 1, 0, -1):
        other = int(next(random) * (last + 1))
        order[last], order[other] = order[other], order[last]
    pairs = 0
    for at in order:
        reach = 1 + int(next(random) * window)
        before, after = ids[max(0, at - reach) : at][::-1], ids[at + 1 : at + 1 + reach]
        contexts = [word for side in (before, after) for word in side[: (side + [0]).index(0)]]
        for context in contexts:
            words = [context]
            while len(words) <= num_noise_words:
                place = next(random) * len(keep)
                word = int(place) if place % 1 < noise["border"][int(place)] else noise["other"][int(place)]
                words += [word] if word not in contexts else []
            v = embed_v[ids[at]].copy()
            for word, label in zip(words, [1] + [0] * num_noise_words):  # one after the other: a word may come twice
                change = lr * (label - 1 / (1 + np.exp(-embed_u[word] @ v)))
                embed_v[ids[at]] += change * embed_u[word]
                embed_u[word] += change * v
            pairs += 1
    return pairs


def test_a_pass_of_some_thousand_pairs_is_numpys(trainer):
    rng = np.random.default_rng(0)
    ids, sentence = rng.zipf(1.3, 30_000) % 40, np.sort(rng.integers(0, 600, 30_000))
    packed = {"words": " ".join(f"word{number}" for number in range(1, 40))}
    packed |= {"train": pack_ids(ids, sentence), "heldOut": pack_ids(ids[:200], sentence[:200])}
    found = trainer.evaluate(
        """(packed) => {
            const trainer = wordTrainer(), corpus = trainer.bookCorpus(packed, []);
            const run = trainer.newRun(corpus, { seed: 5, size: 8, lr: 0.1, window: 3, numNoiseWords: 4 });
            const start = [[...run.embedV], [...run.embedU]];
            while (run.pass < 1) trainer.trainSome(run);
            const noise = { border: [...corpus.noise.border], other: [...corpus.noise.other] };
            return { start, end: [[...run.embedV], [...run.embedU]], noise, train: [...corpus.train] };
        }""",
        packed,
    )
    assert [word for word in found["train"] if word] == [word for word in ids if word]
    counts = np.bincount(ids, minlength=40) * (np.arange(40) > 0)
    border, other = (np.array(found["noise"][name]) for name in ("border", "other"))
    chances = np.bincount(other, 1 - np.minimum(border, 1), minlength=40) + np.minimum(border, 1)
    assert chances / 40 == pytest.approx(counts**0.75 / np.sum(counts**0.75), abs=1e-12)
    random = mulberry32(5)
    bound = np.sqrt(6 / (40 + 8))
    tables = [np.array([(2 * next(random) - 1) * bound for _ in range(40 * 8)]).reshape(40, 8) for _ in range(2)]
    for table, start in zip(tables, found["start"]):
        assert table.ravel() == pytest.approx(start, abs=1e-7)
    keep = np.minimum(1, np.sqrt(1e-4 * counts.sum() / np.maximum(counts, 1)))
    assert trained_by_numpy(found["train"], keep, found["noise"], *tables, 0.1, 3, 4, random) >= 1000
    for table, end in zip(tables, found["end"]):
        assert table.ravel() == pytest.approx(end, abs=1e-5)


# The page ------------------------------------------------------------------------------------------------------------------------


def lesson(play):
    """Check what a training on the Wikipedia excerpt must show, whatever the seed; returns the held-out losses."""
    rows, near = play.digits()
    names = "pass", "training", "held_out", "random"
    passes = {name: [float(text.replace("–", "nan")) for text in column] for name, column in zip(names, zip(*rows))}
    held_out, random = passes["held_out"], passes["random"]
    assert passes["pass"] == list(range(9))
    assert held_out[0] == pytest.approx(np.log(2), abs=0.01)
    assert held_out[2] < 0.4506
    assert 0 < np.argmin(held_out) < 8
    assert max(random) > 0.9 and random[-1] < 0.4
    assert MUSIC & {word for word, *_ in near}
    assert passes["training"][1] > held_out[1]  # not so where the centers are in the text's order
    return held_out


@pytest.mark.parametrize("seed", [1, 2])
def test_the_lesson_holds_for_another_seed(seed, site, browser):
    play = Play(browser, site)
    play.page.get_by_text("Settings, each with a question").click()
    play.setting("seed").fill(str(seed))
    play.setting("seed").press("Tab")
    start = time.perf_counter()
    play.click("look")
    play.wait_for("done")
    print(f"seed {seed}: text and eight passes in {time.perf_counter() - start:.1f} s, held out {lesson(play)}")
    assert play.own_troubles() == []


def test_a_reader_guesses_plays_pauses_and_is_told_with_the_keyboard_alone(site, browser):
    play = Play(browser, site)
    page, press = play.page, play.page.keyboard.press
    troubles = {"still": findings(play)}
    play.tab_to("[data-id=play]")
    press("Enter")
    assert page.evaluate("document.activeElement.name") == "nearest"  # the browser asks for the guess that is missing
    assert "text.js" not in page.content()
    press("Space")
    press("ArrowRight")  # sound
    press("Tab")
    press("Space")  # yes
    play.tab_to("[data-id=play]")
    with short_tasks(browser, page):  # the text is loaded here
        press("Enter")
        play.wait_for("playing")
        page.wait_for_function("document.querySelector('[data-id=progress]').value > 1")
    press("Enter")
    play.wait_for("paused")
    page.wait_for_timeout(500)  # what was on its way is here
    before = play.picture()
    page.wait_for_timeout(1000)
    assert play.picture() == before
    troubles["paused"] = findings(play)
    passed = int(play.text("count")[0])
    play.tab_to("[data-id=one]")
    press("Space")
    play.wait_for_text("count", f"{passed + 1} of 8 passes")
    play.wait_for("paused")
    assert play.text("said").startswith(f"After pass {passed + 1} of 8 the held-out loss is 0.4")
    play.tab_to("[data-id=word]")
    page.keyboard.type("Church")  # what Tab came to is selected, so this replaces it
    press("Enter")
    play.wait_for_text("near", "catholic")
    play.tab_to("[data-id=near] button")
    nearest = play.digits()[1][0][0]
    press("Enter")  # its neighbors
    page.wait_for_function("nearest => document.querySelector('[data-id=near] button').textContent !== nearest", arg=nearest)
    assert play.part("word").input_value() == nearest
    assert page.evaluate("document.activeElement.closest('[data-id=near]') !== null")
    play.tab_to("[data-id=word]", "Shift+Tab")
    page.keyboard.type("qwxyz")
    press("Enter")
    play.wait_for_text("unknown", "“qwxyz” does not occur")
    press("ControlOrMeta+A")
    page.keyboard.type("music")
    press("Enter")
    passes, _ = play.digits()
    play.tab_to("[data-id=settings] *, summary")
    press("Enter")  # the numbers of each pass
    press("Tab")
    press("Enter")  # the settings
    play.tab_to("[name=seed]")
    press("ArrowUp")
    play.wait_for_text("count", "0 of 8 passes")
    assert play.setting("seed").input_value() == "1"
    press("ArrowDown")
    assert play.setting("seed").input_value() == "0"
    play.tab_to("[data-id=play]", "Shift+Tab")
    with short_tasks(browser, page):
        press("Enter")
        play.wait_for("done")
    troubles["done"] = findings(play)
    judged = play.text("judged")
    assert "You said yes, and you were right." in judged and "You said sound. Their cosines: poetry 0." in judged
    links = page.eval_on_selector_all("[data-id=judged] a", "all => all.map(link => link.getAttribute('href').split('#')[0])")
    assert links == ["steps/06_similarity.html"] * 2
    lesson(play)
    assert play.digits()[0][: len(passes)] == passes
    page.eval_on_selector_all(".live details", "all => all.forEach(one => { one.open = true })")
    reached, everything = stops(play)
    assert reached == everything and len(reached) > 25
    play.tab_to("[data-id=again]", "Shift+Tab")
    press("Enter")
    play.wait_for_text("count", "0 of 8 passes")
    reached, everything = stops(play)
    assert reached == everything and reached[:2] == ["nearest", "alike"]
    play.tab_to("[data-id=one]", "Shift+Tab")
    press("Enter")
    play.wait_for_text("count", "1 of 8 passes")
    assert play.digits()[0] == passes[:2]
    play.wait_for("paused")
    play.tab_to("[data-id=play]", "Shift+Tab")
    press("Enter")
    play.wait_for("playing")
    troubles["playing"] = findings(play)  # last: the training may end meanwhile
    assert troubles == {state: [] for state in troubles}
    assert play.own_troubles() == []


def test_nothing_moves_before_the_first_press_and_the_words_walk_after_it(site, browser):
    page, _ = open_page(browser, site)
    page.goto(f"{site}index.html")
    moving = "document.querySelector('[data-id=map]').getAnimations({ subtree: true }).length"
    page.wait_for_function("document.querySelector('[data-id=map] text').style.transform !== ''")
    page.wait_for_timeout(100)
    assert page.evaluate(moving) == 0
    page.locator("[data-id='look']").click()
    page.wait_for_function(f"{moving} > 48")
    page.close()


def test_with_less_motion_the_map_changes_once_a_pass_and_from_a_server_too(site, browser):
    with served(site.removeprefix("file://")) as address:
        play = Play(browser, address, reduced_motion="reduce")
        play.page.evaluate("""() => {
            const mark = document.querySelector("[data-id=map] path"), seen = (globalThis.places = [mark.style.transform]);
            new MutationObserver(() => seen.push(mark.style.transform)).observe(mark, { attributes: true });
        }""")
        play.click("look")
        play.page.wait_for_function("document.querySelector('[data-id=count]').textContent[0] > 1")
        play.click("play")
        play.wait_for("paused")
        places = play.page.evaluate("places")
        passes = len(play.digits()[0]) - 1
        assert 2 + passes <= len(set(places)) <= 3 + passes  # by chance, before training, after each pass, and where it paused
        assert play.troubles == []


def test_a_learning_rate_of_one_diverges_in_words_and_a_smaller_one_starts_over(site, browser):
    play = Play(browser, site)
    play.page.get_by_text("Settings, each with a question").click()
    play.setting("lr").select_option("1")
    play.click("look")
    play.wait_for("failed")
    assert "The training diverged" in play.text("said")
    play.setting("lr").select_option("0.03")
    play.setting("numNoiseWords").select_option("1")
    play.wait_for_text("said", "Nothing is trained yet")
    heights = [play.part(name).get_attribute("y") for name in ("knows-nothing", "blind")]
    assert heights[0] == heights[1]  # the answer to the setting's question
    play.click("one")
    play.wait_for_text("count", "1 of 8 passes")
    assert float(play.digits()[0][1][2]) < np.log(2)
    assert play.own_troubles() == []


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A text of 12,000 words on three topics, and files that are none."""
    folder, rng = tmp_path_factory.mktemp("files"), np.random.default_rng(0)
    topics = [[f"{topic}{chr(97 + one)}{chr(97 + other)}" for one in range(10) for other in range(5)] for topic in ("Fluß", "Haus", "Wald")]
    lines = "\n\n".join(" ".join(rng.choice(topics[rng.integers(3)], 40)) for _ in range(300))
    (folder / "own.txt").write_text(lines, encoding="utf-8")
    (folder / "small.txt").write_text("Only a few words.", encoding="utf-8")
    (folder / "empty.txt").touch()
    (folder / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n" * 100)
    (folder / "large.txt").write_bytes(b"word " * 4_000_000)
    return folder


REFUSALS = {
    "small.txt": "This text is too short: of 4 words 0 different ones occur 5 times or more; 100 are needed.",
    "empty.txt": "This text is too short: of 0 words",
    "picture.png": "not plain text in UTF-8",
    "large.txt": "has 20 MB, and this page takes 10 at most",
}


def test_a_text_of_ones_own_is_read_in_the_page_or_refused_in_words(site, browser, files):
    play = Play(browser, site)
    play.page.get_by_text("Train on a text of your own").click()
    play.part("text").fill("Only a few words.")
    play.page.get_by_role("button", name="Train on this text").click()
    play.wait_for_text("refused", REFUSALS["small.txt"])
    for name in "picture.png", "large.txt":
        play.part("file").set_input_files(files / name)
        play.wait_for_text("refused", REFUSALS[name])
    assert play.page.locator(".live").get_attribute("data-state") == "still"
    play.part("file").set_input_files(files / "own.txt")
    play.wait_for("ready")
    assert "150 words with a vector" in play.text("said") and not play.part("guesses").is_visible() and not play.part("key").is_visible()
    assert findings(play) == []
    play.click("play")
    play.wait_for("done")
    asked = play.part("word").input_value()
    assert {word[:4] for word, *_ in play.digits()[1]} == {asked[:4]}  # its topic
    assert not play.part("judged").is_visible()
    play.click("back")
    play.wait_for("ready")
    assert play.part("word").input_value() == "music" and play.part("guesses").is_visible()
    assert play.own_troubles() == []


def test_a_file_can_be_dropped_anywhere_and_a_wrong_one_changes_nothing(site, browser, files):
    play = Play(browser, site)
    play.drop(files / "picture.png")  # before the first press
    play.wait_for_text("refused", REFUSALS["picture.png"])
    assert play.part("refused").is_visible() and play.page.locator(".live").get_attribute("data-state") == "still"
    play.page.get_by_label("poetry").check()
    play.page.get_by_label("yes").check()
    play.click("one")
    play.wait_for_text("count", "1 of 8 passes")
    play.wait_for("paused")
    before = play.digits()
    for name, reason in REFUSALS.items():
        play.drop(files / name)
        play.wait_for_text("refused", reason)
        assert play.digits() == before and play.page.locator(".live").get_attribute("data-state") == "paused"
    play.click("play")
    play.wait_for("playing")
    play.drop(files / "small.txt")
    play.wait_for_text("refused", REFUSALS["small.txt"])
    play.wait_for_text("count", "3 of 8 passes")  # it trains on
    assert play.digits()[0][:2] == before[0]
    play.drop(files / "own.txt")
    play.wait_for_text("said", "150 words with a vector")
    play.wait_for("ready")
    assert play.text("refused") == "" and play.text("count") == "0 of 8 passes" and len(play.digits()[0]) == 1
    assert play.own_troubles() == []


def test_a_missing_text_and_a_browser_without_scripts_are_told_and_paper_has_the_picture(site, browser, tmp_path):
    shutil.copytree(site.removeprefix("file://"), tmp_path / "html", ignore=shutil.ignore_patterns("text.js"))
    play = Play(browser, f"file://{tmp_path}/html/")
    play.click("look")
    play.page.wait_for_function("document.querySelector('[data-id=said]').textContent.includes('text.js is not beside the scripts')")
    assert not play.page.locator(".poster").is_visible()
    play.page.emulate_media(media="print")
    assert play.page.locator(".poster img").is_visible() and not play.part("play").is_visible()
    old, _ = open_page(browser, site)
    old.add_init_script("delete globalThis.Worker")
    old.goto(f"{site}index.html")
    assert old.locator(".poster").is_visible() and not old.locator("[data-id='play']").is_visible()
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site}index.html")
    assert "It needs JavaScript" in page.locator(".poster").inner_text()
    assert page.locator(".poster img").is_visible() and not page.locator("[data-id='play']").is_visible()
    context.close()
