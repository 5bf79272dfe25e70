// "Press play": the page around trainer.js. The training runs in a worker; what the worker posts, a look, is all that is drawn here.
(() => {
  const live = document.querySelector(".press-play .live");
  if (!live) return;
  const $ = (id) => live.querySelector(`[data-id="${id}"]`), HERE = document.currentScript.src.replace(/[^/]*$/, "");
  const BOOK = live.parentElement.dataset.book, PASSES = $("progress").max, SIZE = 32, MOST_BYTES = 10_000_000;
  const SETTINGS = ["numNoiseWords", "window", "seed", "lr"];
  const GROUPS = {
    war: "war army battle troops military soldiers victory invasion",
    arts: "music poetry novel films painting theatre songs literature",
    computing: "computer software user data program code memory files",
    religion: "church christian catholic god orthodox protestant bible saint",
    nature: "river lake mountains coast island sea climate desert",
    family: "mother father son daughter brother wife sister husband",
  };
  const MARKS = [
    "M-5-5H5V5H-5z", "M0-6 6 5H-6z", "M0-7 6 0 0 7-6 0z", "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0z",
    "M-2-6h4v4h4v4h-4v4h-4v-4h-4v-4h4z", "M0 6 6-5H-6z",
  ];
  const stillness = matchMedia("(prefers-reduced-motion: reduce)");
  const guess = (name) => live.querySelector(`input[name=${name}]:checked`)?.value;
  const wanted = () => Object.fromEntries(SETTINGS.map((id) => [id, Number($(id).value)]));
  const say = (id, text) => { if ($(id).textContent !== text) $(id).textContent = text; };
  const inState = (...names) => names.includes(live.dataset.state);

  let worker = null, hasText = false, own = false, afterText = null; // afterText: the press that waits until the text is there
  let number = 0, settings = wanted(), last = null, mayLook = false;
  let dots = [], groupNames = [], frame = 0;

  function draw(name, attributes, parent, text = "") {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const key in attributes) element.setAttribute(key, attributes[key]);
    element.textContent = text;
    parent.append(element);
    return element;
  }

  // The map -----------------------------------------------------------------------------------------------------------------------

  function makeDots(words, groups) {
    const groupNumber = (word) => Math.max(0, Object.values(groups).findIndex((group) => group.split(" ").includes(word)));
    $("map").replaceChildren();
    $("key").replaceChildren();
    dots = words.map((word) => {
      const group = groupNumber(word), mark = draw("path", { d: MARKS[group], class: `group${group}` }, $("map"));
      const text = draw("text", {}, $("map"), word);
      text.addEventListener("click", () => ask(word));
      return { word, group, mark, text, width: word.length * 6.6 + 4, at: [Math.random() - 0.5, Math.random() - 0.5], goal: null, side: 0 };
    });
    groupNames = Object.keys(groups).map((name, group) => {
      const key = document.createElement("span");
      draw("path", { d: MARKS[group], class: `group${group}` }, draw("svg", { viewBox: "-8 -8 16 16", "aria-hidden": true }, key));
      key.append(` ${name}`);
      $("key").append(key, " ");
      return { group, text: draw("text", { class: `name group${group}` }, $("map"), name), width: name.length * 8.5 + 6 };
    });
  }

  /** Draw all words where they are now. A name stands on a side of its mark where there is room, and fades where there is none. */
  function place() {
    const width = $("map").clientWidth || 560, height = Math.round(Math.min(width, Math.max(340, width * 0.8)));
    const farthest = Math.max(0.6, ...dots.flatMap(({ at }) => at.map(Math.abs))), taken = [];
    const seen = ([x, y]) => [width / 2 + (x / farthest) * (width / 2 - 24), height / 2 - (y / farthest) * (height / 2 - 16)];
    const isFree = ([x, y], wide) => x > wide / 2 && x < width - wide / 2 && y > 12 && y < height - 3 &&
      taken.every(([otherX, otherY, otherWide]) => Math.abs(otherX - x) >= (wide + otherWide) / 2 || Math.abs(otherY - y) >= 13);
    const put = (text, spot, wide) => {
      text.classList.toggle("gone", !spot);
      if (!spot) return;
      text.style.transform = `translate(${spot[0].toFixed(1)}px, ${spot[1].toFixed(1)}px)`;
      taken.push([...spot, wide]);
    };
    $("map").setAttribute("viewBox", `0 0 ${width} ${height}`);
    const points = dots.map(({ at }) => seen(at));
    for (const [x, y] of points) taken.push([x, y + 4, 8]);
    for (const name of groupNames) put(name.text, spotOfGroup(name, seen, isFree), name.width);
    dots.forEach((dot, i) => {
      const [x, y] = points[i], aside = 9 + dot.width / 2;
      const sides = [[x, y - 9], [x, y + 18], [x + aside, y + 4], [x - aside, y + 4]]; // above, below, right, left
      const side = [dot.side, 0, 1, 2, 3].find((one) => isFree(sides[one], dot.width)); // rather where it was
      dot.side = side ?? dot.side;
      dot.mark.setAttribute("transform", `translate(${x.toFixed(1)} ${y.toFixed(1)})`);
      put(dot.text, side === undefined ? null : sides[side], dot.width);
    });
  }

  /** Where a group's name has room: only a group that has come together, away from the others, is named on the map. */
  function spotOfGroup({ group, width }, seen, isFree) {
    const all = dots.filter((dot) => dot.group === group).map(({ at }) => at);
    const middle = [0, 1].map((k) => all.reduce((sum, at) => sum + at[k], 0) / all.length);
    const together = all.filter((at) => Math.hypot(at[0] - middle[0], at[1] - middle[1]) < 0.3).length;
    if (!last?.pass || together < 6 || Math.hypot(...middle) < 0.15) return null;
    const [x, y] = seen(middle);
    return [0, -16, 16, -32, 32, -48, 48].map((down) => [x, y + down]).find((spot) => isFree(spot, width));
  }

  /** Let the words walk to where they belong, a tenth of the way in each frame, until they are there. */
  function walk() {
    let far = 0;
    for (const dot of dots)
      if (dot.goal)
        dot.at = dot.at.map((x, k) => {
          const way = dot.goal[k] - x, isThere = stillness.matches || Math.abs(way) < 0.002;
          far = Math.max(far, isThere ? 0 : Math.abs(way));
          return isThere ? dot.goal[k] : x + way / 10;
        });
    place();
    frame = far ? requestAnimationFrame(walk) : 0;
  }

  // The loss ----------------------------------------------------------------------------------------------------------------------

  /** The loss of a model that gives every question the same answer: the entropy of the share of context words (step 4). */
  function blindLoss() {
    const share = 1 / (1 + settings.numNoiseWords);
    return -share * Math.log(share) - (1 - share) * Math.log(1 - share);
  }

  function drawLoss() {
    const svg = $("loss"), width = svg.clientWidth || 400, height = 210, soft = { class: "soft", "text-anchor": "end" };
    const training = last?.record.training || [], heldOut = (last?.record.passes || []).map((pass, at) => [at, pass.heldOut]);
    const losses = [...training, ...heldOut].map(([, loss]) => loss).filter(Number.isFinite);
    const top = Math.min(1.6, Math.max(0.72, ...losses)), bottom = Math.min(blindLoss() - 0.09, ...losses);
    const X = (pass) => 34 + (pass / PASSES) * (width - 100);
    const Y = (loss) => 14 + ((top - Math.max(bottom, Math.min(top, loss || top))) / (top - bottom)) * (height - 58);
    const write = (x, y, text, attributes) => draw("text", { x, y, ...attributes }, svg, text);
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.replaceChildren();
    for (let loss = Math.ceil(bottom * 10) / 10; loss < top; loss += 0.1) write(28, Y(loss) + 4, loss.toFixed(1), soft);
    for (let pass = 0; pass <= PASSES; pass += 2) write(X(pass), height - 22, pass, { ...soft, "text-anchor": "middle" });
    write(X(PASSES / 2), height - 5, "pass", { ...soft, "text-anchor": "middle" });
    const isBlind = settings.numNoiseWords === 1; // then both yardsticks are one
    const yardsticks = [[Math.LN2, `ln 2: knows nothing${isBlind ? ", or is blind" : ""}`, "2 3"]];
    if (!isBlind) yardsticks.push([blindLoss(), "blind to the words", "8 3 2 3"]);
    for (const [loss, name, dashes] of yardsticks) {
      draw("line", { x1: X(0), x2: width - 4, y1: Y(loss), y2: Y(loss), class: "yardstick", "stroke-dasharray": dashes }, svg);
      write(width - 4, Y(loss) - 4, name, soft);
    }
    const lines = [["training", training], ["held-out", heldOut]].filter(([, points]) => points.length);
    for (const [name, points] of lines) {
      const places = points.map(([pass, loss]) => `${X(pass).toFixed(1)},${Y(loss).toFixed(1)}`);
      draw("polyline", { points: places.join(" "), class: `line ${name}` }, svg);
    }
    for (const [pass, loss] of heldOut) draw("circle", { cx: X(pass), cy: Y(loss), r: 3.5, class: "held-out" }, svg);
    const ends = lines.map(([name, points]) => ({ name, x: X(points.at(-1)[0]) + 7, y: Y(points.at(-1)[1]) + 4 }));
    ends.sort((one, other) => one.y - other.y);
    if (ends.length > 1) ends[1].y = Math.max(ends[1].y, ends[0].y + 13);
    for (const { name, x, y } of ends) write(x, y, name.replace("-", " "), { class: name });
  }

  // What is said ------------------------------------------------------------------------------------------------------------------

  const lowest = (passes) => passes.reduce((best, { heldOut }, pass) => (heldOut < passes[best].heldOut ? pass : best), 0);
  const said = (answer, best) => (!answer ? "" : answer === best ? `You said ${answer}, and you were right. ` : `You said ${answer}. `);

  /** The sentence that a pass ends with. */
  function sentence({ pass, record: { passes }, near, asked }) {
    const { training, heldOut, random } = passes[pass], best = lowest(passes);
    const isByHeart = training < passes[pass - 1].training, blind = blindLoss();
    const why = isByHeart ? "because the model now learns the training text by heart" : "and the training loss rises, too";
    const against = heldOut >= blind ? `above the blind model’s ${blind.toFixed(3)}`
      : passes[pass - 1].heldOut >= blind ? `now below the blind model’s ${blind.toFixed(3)}`
        : best === pass ? "the lowest so far"
          : `above pass ${best}’s ${passes[best].heldOut.toFixed(3)}, ${why}`;
    const words = near ? near.slice(0, 3).map(([word]) => word).join(", ") : "no word, since the text lacks it";
    const isJudged = (pass === 1 && guess("alike")) || (pass === PASSES && guess("nearest"));
    return `After pass ${pass} of ${PASSES} the held-out loss is ${heldOut.toFixed(3)}, ${against}; ` +
      `two random words have a cosine of ${random.toFixed(2)}${random > 0.8 ? ", so all words look alike" : ""}; ` +
      `nearest to ${asked}: ${words}.${isJudged && !own ? " Your guess is judged below the map." : ""}`;
  }

  /** Judge the guesses, each as soon as that can be done, with a link to the step that explains. */
  function judge({ pass, record: { passes }, all }) {
    const stepSix = (anchor, text) => `<a href="${BOOK}steps/06_similarity.html#${anchor}">${text}</a>`, verdicts = [];
    if (pass > 0) {
      const { random } = passes[1], answer = random > 0.5 ? "yes" : "no";
      const mean = `a mean cosine of ${random.toFixed(2)} after the first pass`;
      verdicts.push(`<b>Do two random words look alike?</b> ${said(guess("alike"), answer)}` +
        (answer === "yes" ? `They have ${mean}: what all words share is learned first. ` : `With these settings they have ${mean}. `) +
        `${stepSix("what-all-vectors-share-is-learned-first", "Step 6 says why")}.`);
    }
    if (pass === PASSES && all) {
      const choices = [...live.querySelectorAll("input[name=nearest]")].map(({ value }) => value), answer = guess("nearest");
      const cosines = all.filter(([word]) => choices.includes(word)).map(([word, , cosine]) => [word, cosine.toFixed(2)]);
      const [best, cosine] = cosines[0], yours = cosines.find(([word]) => word === answer && word !== best);
      verdicts.push(`<b>Which word is nearest to music?</b> ${said(answer, best)}Of the four it is ${best}, with a cosine of ${cosine}` +
        `${yours ? `; ${yours[0]} has ${yours[1]}` : ""}. Of all words it is ${all[0][0]}, with ${all[0][2].toFixed(2)}. ` +
        `Is that high? ${stepSix("is-that-cosine-high", "Step 6 compares it with random pairs")}.`);
    }
    $("judged").hidden = own || !verdicts.length;
    $("judged").innerHTML = `<p class="head">Your guesses</p>${verdicts.map((verdict) => `<p>${verdict}</p>`).join("")}`;
  }

  function fill(id, rows, cell = (text) => text) {
    const body = $(id).tBodies[0];
    while (body.rows.length > rows.length) body.deleteRow(-1);
    rows.forEach((texts, i) => {
      const row = body.rows[i] || body.insertRow();
      texts.forEach((text, k) => {
        const place = row.cells[k] || row.insertCell(), content = cell(text, k, place);
        if (content !== place.firstChild) place.replaceChildren(content);
      });
    });
  }

  /** A neighbor is a button that asks for its own neighbors; a row keeps its button, so that the keyboard's focus stays. */
  function wordButton(text, column, { firstChild }) {
    if (column) return text;
    const button = firstChild || document.createElement("button");
    Object.assign(button, { type: "button", textContent: text, onclick: () => ask(button.textContent) });
    return button;
  }

  function showNear({ near, asked }) {
    say("unknown", near ? "" : `The text has no word “${asked}”, or too seldom for a vector. Try one of the map.`);
    fill("near", (near || []).map(([word, count, cosine]) => [word, count.toLocaleString("en"), cosine.toFixed(2)]), wordButton);
    for (const { word, text } of dots) text.classList.toggle("asked", word === asked);
  }

  function show(look) {
    const isNew = !last || look.pass !== last.pass, { passes, diverged } = look.record, best = lowest(passes);
    const isAsked = isNew || look.asked !== last.asked;
    last = look;
    $("progress").value = look.at;
    say("count", `${look.pass} of ${PASSES} passes`);
    if (isAsked) showNear(look);
    if (stillness.matches && inState("playing") && !isNew) return; // less motion: one picture for each pass
    if (diverged) {
      const [, loss] = look.record.training.at(-1);
      const to = Number.isFinite(loss) ? `a loss of ${loss.toPrecision(3)}` : "numbers that a computer can’t hold";
      say("said", `The training diverged, to ${to}: choose a smaller learning rate.`);
      return drawLoss();
    }
    dots.forEach((dot, i) => { dot.goal = look.places[i]; });
    if (!frame) frame = requestAnimationFrame(walk);
    drawLoss();
    say("random", look.random.toFixed(2));
    $("meter").value = Math.max(0, look.random);
    say("map-said", `${look.pass ? `After ${look.pass} of ${PASSES} passes` : "Before training"}: ${dots.length} words by PCA, ` +
      `which keeps ${Math.round(look.kept * 100)} % of their differences. So two words may lie close and be unlike; their cosine tells.` +
      `${groupNames.length ? " The groups are ours: the training does not see them." : ""}`);
    say("loss-said", `Held-out loss by pass: ${passes.map(({ heldOut }) => heldOut.toFixed(3)).join(", ")}` +
      `${best < look.pass ? `; lowest after pass ${best}` : ""}.`);
    if (!isNew) return;
    if (look.pass) say("said", sentence(look));
    const digits = ({ training, heldOut, random }, pass) => [pass, training?.toFixed(4) ?? "–", heldOut.toFixed(4), random.toFixed(2)];
    fill("passes", passes.map(digits));
    judge(look);
  }

  // The worker and the text -------------------------------------------------------------------------------------------------------

  const fail = (reason) => {
    say("said", `The training can’t run in this browser: ${reason}.`);
    setState("failed");
  };

  function bring(message) {
    const glue = "const answer = wordWorker(wordTrainer(), postMessage); onmessage = ({ data }) => answer(data);";
    const source = `${wordTrainer}\n${wordWorker}\n${glue}`;
    try {
      worker ||= new Worker(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
    } catch (error) {
      fail(error.message);
      return;
    }
    worker.onerror = ({ message: reason }) => fail(reason);
    worker.onmessage = ({ data }) => {
      if (data.ready) take(data.ready);
      if (data.refused) refuse(data.refused);
      if (data.number !== number) return; // of a training that was left
      if (data.look) show(data.look);
      if (data.stopped) rest();
    };
    setState("loading");
    worker.postMessage(message);
  }

  /** Load the book's text by a script tag, which works where the page was opened as a file, too. */
  function loadText() {
    const bringText = () => bring({ corpus: window.PRESS_PLAY_TEXT, shown: Object.values(GROUPS).join(" ").split(" ") });
    if (window.PRESS_PLAY_TEXT) return bringText();
    setState("loading");
    const script = Object.assign(document.createElement("script"), { src: `${HERE}text.js`, onload: bringText });
    script.onerror = () => {
      say("said", "The text can’t be loaded: text.js is not where this page’s scripts are. Take the whole folder of the book.");
      setState("still");
    };
    document.head.append(script);
  }

  function take({ own: isOwn, words, asked, numTokens, numWords, minFreq }) {
    if (isOwn || own) makeDots(words, isOwn ? {} : GROUPS);
    [own, hasText] = [isOwn, true];
    $("back").hidden = !own;
    $("guesses").hidden = own;
    $("word").value = asked;
    say("refused", "");
    const counts = [numTokens, numWords].map((count) => count.toLocaleString("en"));
    start(!own ? "Nothing is trained yet: chance decides where the words stand." : `Your text has ${counts[1]} different words that ` +
      `occur ${minFreq} times or more, ${counts[0]} tokens in all. The map shows the commonest long ones. Press Play.`);
    afterText?.();
    afterText = null;
  }

  function refuse(reason) {
    say("refused", reason);
    afterText = null;
    rest();
  }

  async function takeOwn(text) {
    const bytes = text.size ?? text.length;
    if (bytes > MOST_BYTES) return say("refused", `This text has ${Math.round(bytes / 1e6)} MB, and the page takes at most ` +
      `${MOST_BYTES / 1e6} MB. Take a part of it, or train on your own machine, as the page Scale tells.`);
    bring({ own: typeof text === "string" ? text : await text.arrayBuffer() });
  }

  // Controls ----------------------------------------------------------------------------------------------------------------------

  function setState(name) {
    live.dataset.state = name;
    say("play", { playing: "❚❚ Pause", loading: "Reading …", done: "▶ Play again" }[name] || "▶ Play");
    $("one").setAttribute("aria-disabled", inState("playing", "loading"));
    $("again").setAttribute("aria-disabled", inState("loading"));
    for (const field of live.querySelectorAll("fieldset")) field.disabled = !inState("still", "ready");
    $("look").hidden = mayLook || !inState("still", "ready");
  }

  /** Be in the state in which nothing runs. */
  function rest() {
    if (last?.record.diverged) setState("failed");
    else setState(!hasText ? "still" : last?.pass === PASSES ? "done" : last?.at ? "paused" : "ready");
  }

  /** Go back to the start, with the settings as they are now. */
  function start(text) {
    [settings, last] = [wanted(), null];
    number++;
    $("judged").hidden = true;
    $("progress").value = 0;
    fill("passes", []);
    say("count", `0 of ${PASSES} passes`);
    say("said", text);
    if (hasText) worker.postMessage({ number, start: { ...settings, size: SIZE } });
    drawLoss();
    rest();
  }

  function train(passes) {
    if (!own && !mayLook && !(guess("nearest") && guess("alike"))) {
      say("said", "First your two guesses, please; or press “I’d rather just look”.");
      live.querySelector("input[type=radio]").focus();
    } else if (!hasText) {
      afterText = () => train(passes);
      loadText();
    } else {
      if (inState("done", "failed")) start("Back at the start, and off again.");
      worker.postMessage({ play: Math.min(PASSES, passes ?? (last?.pass || 0) + 1) });
      setState("playing");
    }
  }

  function ask(word) {
    $("word").value = word;
    if (hasText) worker.postMessage({ ask: word.trim().toLowerCase() });
    else say("unknown", "No word has a vector yet. Press Play first.");
  }

  $("play").onclick = () => {
    if (inState("playing")) worker.postMessage({ pause: true });
    else if (!inState("loading")) train(PASSES);
  };
  $("one").onclick = () => { if (!inState("playing", "loading")) train(); };
  $("again").onclick = () => { if (!inState("loading")) start("Back at the start. The same seed gives the same digits again."); };
  $("look").onclick = () => {
    mayLook = true;
    $("play").focus();
    train(PASSES);
  };
  $("settings").onchange = () => { if (!inState("loading")) start("The settings changed, so the training starts over. Press Play."); };
  $("take").onclick = () => takeOwn($("text").value);
  $("file").onchange = () => { if ($("file").files[0]) takeOwn($("file").files[0]); };
  $("back").onclick = loadText;
  $("own").ondragover = (event) => event.preventDefault();
  $("own").ondrop = (event) => {
    event.preventDefault();
    if (event.dataTransfer.files[0]) takeOwn(event.dataTransfer.files[0]);
  };
  for (const form of live.querySelectorAll("form")) form.onsubmit = (event) => event.preventDefault();
  $("ask").addEventListener("submit", () => ask($("word").value));

  live.hidden = false;
  live.parentElement.classList.add("on");
  makeDots(Object.values(GROUPS).join(" ").split(" "), GROUPS);
  start("Nothing is trained yet: chance decides where the words stand.");
  new ResizeObserver(() => [place(), drawLoss()]).observe(live);
})();
