// "Press play": the page around trainer.js. The training runs in a worker; what it posts, a look, is all that this page draws.
(() => {
  const root = document.querySelector(".press-play");
  if (!root) return;
  const HERE = document.currentScript.src.replace(/[^/]*$/, ""), BOOK = root.dataset.book;
  const PASSES = 8, LN2 = Math.LN2, MOST_BYTES = 10_000_000, SVG = "http://www.w3.org/2000/svg";
  const GROUPS = {
    war: "war army battle troops military soldiers victory invasion", arts: "music poetry novel films painting theatre songs literature",
    computing: "computer software user data program code memory files", religion: "church christian catholic god orthodox protestant bible saint",
    nature: "river lake mountains coast island sea climate desert", family: "mother father son daughter brother wife sister husband",
  };
  const MARKS = ["M-5-5H5V5H-5z", "M0-6 6 5H-6z", "M0-7 6 0 0 7-6 0z", "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0z", "M-2-6h4v4h4v4h-4v4h-4v-4h-4v-4h4z", "M0 6 6-5H-6z"];
  const CHOICES = ["songs", "sound", "poetry", "war"];
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const radios = (name, values) => values.map((value) => `<label><input type="radio" name="${name}" value="${value}"> ${value}</label>`).join(" ");
  const options = (values, chosen) => values.map((value) => `<option${value === chosen ? " selected" : ""}>${value}</option>`).join("");

  root.insertAdjacentHTML("beforeend", `<div class="live" data-state="still">
    <form class="guesses"><p class="head">First, two guesses</p>
      <fieldset data-guess="nearest"><legend>At the end, which of these words will be nearest to <b>music</b>?</legend> ${radios("nearest", CHOICES)}</fieldset>
      <fieldset data-guess="alike"><legend>After the first of ${PASSES} passes, will two random words look alike?</legend> ${radios("alike", ["yes", "no"])}</fieldset>
      <button type="button" data-id="look">I’d rather just look</button></form>
    <div class="bar"><button type="button" class="main" data-id="play">▶ Play</button> <button type="button" data-id="one">One pass</button>
      <button type="button" data-id="again">Start over</button> <progress max="${PASSES}" value="0" aria-label="Passes through the text"></progress>
      <span data-id="count">0 of ${PASSES} passes</span></div>
    <p role="status" data-id="said">Nothing is trained yet: every word stands where chance put it.</p>
    <div class="two">
      <figure><svg data-id="map" role="img" aria-label="Map of words"></svg><p class="key" data-id="key"></p><figcaption data-id="mapsaid">A map of 48 words. Before training, chance decides where they stand.</figcaption></figure>
      <div><figure><svg data-id="loss" role="img" aria-label="Loss by pass"></svg><figcaption data-id="losssaid">Loss, the mean cost of an answer, by pass.</figcaption></figure>
        <p class="pair"><label>Two random words: mean cosine <meter min="0" max="1" value="0"></meter></label> <b data-id="random">–</b></p>
        <form class="ask"><label>Neighbors of <input type="text" data-id="word" value="music" autocomplete="off" autocapitalize="none" spellcheck="false"></label> <button>Show</button></form>
        <p class="wrong" role="status" data-id="unknown"></p>
        <table><thead><tr><th scope="col">word</th><th scope="col">times in the text</th><th scope="col">cosine</th></tr></thead><tbody data-id="near"></tbody></table></div></div>
    <div class="judged" data-id="judged" hidden></div>
    <details><summary>The numbers of each pass</summary><table><thead><tr><th scope="col">pass</th><th scope="col">training loss</th><th scope="col">held-out loss</th><th scope="col">cosine of random pairs</th></tr></thead><tbody data-id="passes"></tbody></table></details>
    <details><summary>Settings, each with a question</summary><dl class="settings">
      <dt><label>Noise words per context word <select data-id="numNoiseWords">${options([1, 5], 5)}</select></label></dt><dd>Set it to 1. Where does the blind model’s line go, and why? (<a href="${BOOK}steps/04_loss.html">step 4</a>)</dd>
      <dt><label>Largest window <select data-id="window">${options([2, 5], 5)}</select></label></dt><dd>With 2, a pass takes less time. Why? And which neighbors of <i>music</i> stay?</dd>
      <dt><label>Seed <input type="number" data-id="seed" min="0" max="9999" value="0"></label></dt><dd>Another seed: how many of the eight neighbors of <i>music</i> stay? (<a href="${BOOK}steps/09_hyperparameters.html">step 9</a>)</dd>
      <dt><label>Learning rate <select data-id="lr">${options([0.003, 0.03, 0.3, 1], 0.03)}</select></label></dt><dd>Set it to 1. What will the curve do? (<a href="${BOOK}steps/11_find_the_bug.html">step 11</a>)</dd></dl>
      <p>A change starts the training over.</p></details>
    <details data-id="own"><summary>Train on a text of your own</summary>
      <p>Paste a text, or choose or drop a file: plain text of at least some thousand words. <b>Nothing leaves your machine</b>: this page reads the text itself and sends it nowhere.</p>
      <label>Your text <textarea data-id="text" rows="4"></textarea></label>
      <p><button type="button" data-id="take">Train on it</button> <label>or a file <input type="file" data-id="file" accept=".txt,.md,text/*"></label> <button type="button" data-id="back" hidden>Back to Wikipedia</button></p>
      <p class="wrong" role="alert" data-id="refused"></p></details></div>`);
  const live = root.querySelector(".live"), $ = (id) => live.querySelector(`[data-id=${id}]`);
  const draw = (name, attributes, parent, text = "") => {
    const element = document.createElementNS(SVG, name);
    for (const key in attributes) element.setAttribute(key, attributes[key]);
    element.textContent = text;
    parent.append(element);
    return element;
  };
  const guess = (name) => live.querySelector(`input[name=${name}]:checked`)?.value;
  const blind = () => { const share = 1 / (1 + settings.numNoiseWords); return -share * Math.log(share) - (1 - share) * Math.log(1 - share); };
  const set = (id, text) => { if ($(id).textContent !== text) $(id).textContent = text; };

  let worker = null, last = null, settings = null, mayLook = false, told = 0, dots = [], names = [], own = false, waiting = null;

  // The map -----------------------------------------------------------------------------------------------------------

  function makeDots(words, groups) {
    $("map").replaceChildren();
    names = Object.keys(groups).map((name, number) => ({ at: [0, 0], number, text: draw("text", { class: `name group${number}` }, $("map"), name), width: name.length * 8 + 6 }));
    dots = words.map((word) => {
      const number = Math.max(0, Object.values(groups).findIndex((group) => group.split(" ").includes(word)));
      const mark = draw("path", { d: MARKS[number], class: `group${number}` }, $("map")), text = draw("text", {}, $("map"), word);
      text.addEventListener("click", () => ask(word));
      return { word, number, mark, text, width: word.length * 6.6 + 4, at: [Math.random() - 0.5, Math.random() - 0.5], goal: null, side: 0 };
    });
    $("key").innerHTML = Object.keys(groups).map((name, number) => `<span><svg viewBox="-8 -8 16 16" aria-hidden="true"><path d="${MARKS[number]}" class="group${number}"/></svg> ${name}</span>`).join(" ");
  }

  const SIDES = (width) => [[0, -9], [0, 18], [9 + width / 2, 4], [-9 - width / 2, 4]]; // above, below, right, left

  /** Draw all words where they are now. A name stands on the side of its mark where there is room, and fades where there is none. */
  function place() {
    const width = $("map").clientWidth || 560, height = Math.round(Math.min(width, Math.max(340, width * 0.8))), scale = Math.min(width, height) / 2.3 / Math.max(0.6, ...dots.flatMap((dot) => dot.at.map(Math.abs))), taken = [];
    $("map").setAttribute("viewBox", `0 0 ${width} ${height}`);
    const inside = (x, most) => Math.max(8, Math.min(most - 8, x)), seen = ([x, y]) => [inside(width / 2 + x * scale * (width / height), width), inside(height / 2 - y * scale, height)];
    const free = (x, y, w) => x > w / 2 && x < width - w / 2 && y > 12 && !taken.some(([a, b, c]) => Math.abs(a - x) < (w + c) / 2 && Math.abs(b - y) < 13);
    const points = dots.map((dot) => seen(dot.at));
    points.forEach(([x, y]) => taken.push([x, y + 4, 8]));
    for (const name of names) {
      const group = dots.filter((dot) => dot.number === name.number), middle = [0, 1].map((k) => group.reduce((sum, dot) => sum + dot.at[k], 0) / group.length);
      const near = group.filter((dot) => Math.hypot(dot.at[0] - middle[0], dot.at[1] - middle[1]) < 0.3).length, [x, y] = seen(middle);
      const found = last && last.pass > 0 && near > 5 && Math.hypot(...middle) > 0.2;
      const at = found && [0, -18, 18, -36, 36].map((up) => y + up).find((up) => free(x, up, name.width));
      name.text.classList.toggle("gone", !at);
      if (at) { taken.push([x, at, name.width]); name.text.style.transform = `translate(${x}px,${at}px)`; }
    }
    dots.forEach((dot, i) => {
      const [x, y] = points[i], sides = SIDES(dot.width), order = [dot.side, 0, 1, 2, 3];
      dot.mark.setAttribute("transform", `translate(${x.toFixed(1)} ${y.toFixed(1)})`);
      const side = order.find((number) => free(x + sides[number][0], y + sides[number][1], dot.width));
      dot.text.classList.toggle("gone", side === undefined);
      if (side !== undefined) { dot.side = side; taken.push([x + sides[side][0], y + sides[side][1], dot.width]); }
      dot.text.style.transform = `translate(${(x + sides[dot.side][0]).toFixed(1)}px,${(y + sides[dot.side][1]).toFixed(1)}px)`;
    });
  }

  let frame = 0;
  /** Let the words walk to where they belong, a part of the way in each frame, until they are there. */
  function walk() {
    frame = 0;
    let far = 0;
    for (const dot of dots)
      if (dot.goal)
        dot.at = dot.at.map((x, k) => {
          const way = dot.goal[k] - x;
          far = Math.max(far, Math.abs(way));
          return still.matches || Math.abs(way) < 0.002 ? dot.goal[k] : x + way * 0.1;
        });
    place();
    if (far > 0.002 && !still.matches) frame = requestAnimationFrame(walk);
  }
  const move = () => { if (!frame) frame = requestAnimationFrame(walk); };

  // The loss ----------------------------------------------------------------------------------------------------------

  function drawLoss() {
    const svg = $("loss"), width = svg.clientWidth || 400, height = 210, { training = [], passes = [] } = last?.record || {};
    const heldOut = passes.map(({ heldOut }, pass) => [pass, heldOut]), values = [...training, ...heldOut].map(([, loss]) => loss);
    const top = Math.max(0.72, Math.min(1.5, ...[Math.max(...values, 0) + 0.02])), bottom = Math.min(blind() - 0.09, ...values.map((loss) => loss - 0.01));
    const X = (pass) => 34 + (pass / PASSES) * (width - 100), Y = (loss) => 12 + ((top - Math.max(bottom, Math.min(top, loss))) / (top - bottom)) * (height - 52);
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.replaceChildren();
    const text = (x, y, words, attributes = {}) => draw("text", { x, y, ...attributes }, svg, words);
    for (let loss = Math.ceil(bottom * 10) / 10; loss < top; loss += 0.1) text(28, Y(loss) + 4, loss.toFixed(1), { "text-anchor": "end", class: "soft" });
    for (let pass = 0; pass <= PASSES; pass += 2) text(X(pass), height - 22, pass, { "text-anchor": "middle", class: "soft" });
    text(X(PASSES / 2), height - 5, "pass", { "text-anchor": "middle", class: "soft" });
    const yardsticks = [[LN2, settings.numNoiseWords === 1 ? "ln 2: knows nothing, and blind" : "ln 2: knows nothing", "2 3"]];
    if (settings.numNoiseWords > 1) yardsticks.push([blind(), "blind to the words", "8 3 2 3"]);
    for (const [loss, words, dashes] of yardsticks) {
      draw("line", { x1: X(0), x2: width - 4, y1: Y(loss), y2: Y(loss), class: "yardstick", "stroke-dasharray": dashes }, svg);
      text(width - 4, Y(loss) - 4, words, { "text-anchor": "end", class: "soft" });
    }
    const ends = [[training, "training"], [heldOut, "held out"]].filter(([points]) => points.length);
    for (const [points, name] of ends) draw("polyline", { points: points.map(([pass, loss]) => `${X(pass)},${Y(loss)}`).join(" "), class: `line ${name.replace(" ", "-")}` }, svg);
    heldOut.forEach(([pass, loss]) => draw("circle", { cx: X(pass), cy: Y(loss), r: 3.5, class: "held-out" }, svg));
    const heights = ends.map(([points]) => Y(points.at(-1)[1]) + 4);
    if (heights.length === 2 && Math.abs(heights[0] - heights[1]) < 13) heights[heights[0] < heights[1] ? 1 : 0] = Math.min(...heights) + 13;
    ends.forEach(([points, name], i) => text(X(points.at(-1)[0]) + 7, heights[i], name, { class: name.replace(" ", "-") }));
  }

  // Words -------------------------------------------------------------------------------------------------------------

  const lowest = (passes) => passes.reduce((best, { heldOut }, pass) => (heldOut < passes[best].heldOut ? pass : best), 0);

  /** The sentence that a pass ends with. */
  function sentence({ pass, record: { passes }, near, asked }) {
    const { heldOut, random } = passes[pass], best = lowest(passes), before = passes[pass - 1].heldOut;
    const line = heldOut > blind() ? "still above the blind model’s" : passes[pass - 1].heldOut > blind() ? "for the first time below the blind model’s" : "";
    const turn = best === pass ? "the lowest so far" : heldOut > before ? `and rising since pass ${best}: the model begins to learn the training text by heart` : `lowest after pass ${best}`;
    const alike = random > 0.8 ? ": all words still look alike" : "";
    const judged = (pass === 1 && guess("alike")) || (pass === PASSES && guess("nearest")) ? " Your guess is judged below." : "";
    return `After pass ${pass} of ${PASSES}: held-out loss ${heldOut.toFixed(3)}, ${line ? `${line} ${blind().toFixed(3)}` : turn}; ` +
      `two random words have a cosine of ${random.toFixed(2)}${alike}; nearest to ${asked}: ${(near || []).slice(0, 3).map(([word]) => word).join(", ") || "–"}.${judged}`;
  }

  /** The guesses, each as soon as it can be judged, with the step that explains it. */
  function judge({ pass, record: { passes }, first, options }) {
    const step = (place, words) => `<a href="${BOOK}steps/06_similarity.html${place}">${words}</a>`, found = [];
    if (pass > 0) {
      const { random } = passes[1], answer = random > 0.5 ? "yes" : "no", said = guess("alike");
      const why = answer === "yes" ? `They do: after the first pass two random words have a mean cosine of ${random.toFixed(2)}. What all words share is learned first; ${step("#what-all-vectors-share-is-learned-first", "step 6 says why")}.`
        : `With these settings they don’t: their mean cosine is ${random.toFixed(2)}. ${step("#what-all-vectors-share-is-learned-first", "Step 6 says what it depends on")}.`;
      found.push(`<b>Do two random words look alike?</b> ${said ? `You said ${said}${said === answer ? ", and you were right" : ""}. ` : ""}${why}`);
    }
    if (pass === PASSES && options.length) {
      const [[best, , cosine]] = options, said = guess("nearest"), yours = options.find(([word]) => word === said);
      found.push(`<b>What is nearest to music?</b> ${said ? `You said ${said}${said === best ? ", and you were right" : ""}. ` : ""}Of the four words ${best} is nearest, with a cosine of ${cosine.toFixed(2)}` +
        `${yours && said !== best ? `; ${said} has ${yours[2].toFixed(2)}` : ""}. Of all words it is ${first[0]}, with ${first[2].toFixed(2)}. Is that high? ${step("#is-that-cosine-high", "Step 6 compares it with random pairs")}.`);
    }
    $("judged").hidden = own || !found.length;
    $("judged").innerHTML = `<p class="head">Your guesses</p>${found.map((text) => `<p>${text}</p>`).join("")}`;
  }

  function showNear({ near, asked }) {
    set("unknown", near ? "" : `The text has no word “${asked}”, or too seldom for a vector. Try a word of the map.`);
    $("near").replaceChildren();
    for (const [word, count, cosine] of near || []) {
      const row = $("near").insertRow(), link = document.createElement("button");
      link.type = "button";
      link.textContent = word;
      link.onclick = () => ask(word);
      row.insertCell().append(link);
      row.insertCell().textContent = count.toLocaleString("en");
      row.insertCell().textContent = cosine.toFixed(2);
    }
    for (const dot of dots) dot.text.classList.toggle("asked", dot.word === asked);
  }

  function show(look) {
    const ends = !last || look.pass !== last.pass || !look.record.training.length, quiet = still.matches && live.dataset.state === "playing" && !ends;
    last = look;
    live.querySelector("progress").value = look.at;
    set("count", `${look.pass} of ${PASSES} passes`);
    if (quiet) return; // less motion: one picture for each pass
    dots.forEach((dot, i) => { dot.goal = look.places[i]; });
    move();
    drawLoss();
    if (!live.contains(document.activeElement) || !$("near").contains(document.activeElement)) showNear(look);
    set("random", look.random.toFixed(2));
    live.querySelector("meter").value = Math.max(0, look.random);
    set("mapsaid", `${look.pass ? `After ${look.pass} of ${PASSES} passes` : "Before training"}: ${dots.length} words by PCA, which keeps ${Math.round(look.kept * 100)} % of their differences; ` +
      `words that are far apart may still be alike, so ask for their neighbors.${names.length ? " Shapes and colors are ours: the training does not see them." : ""}`);
    const { passes } = look.record, best = lowest(passes);
    set("losssaid", `Loss by pass. Held out: ${passes.map(({ heldOut }) => heldOut.toFixed(3)).join(", ")}${look.pass > best ? `; lowest after pass ${best}` : ""}.`);
    if (look.pass > told) {
      told = look.pass;
      set("said", sentence(look));
      $("passes").insertRow().innerHTML = `<td>${look.pass}</td><td>${passes[look.pass].training.toFixed(4)}</td><td>${passes[look.pass].heldOut.toFixed(4)}</td><td>${passes[look.pass].random.toFixed(2)}</td>`;
    }
    if (look.record.diverged) set("said", `The training diverged, to a loss of ${look.record.diverged.toPrecision(3)}: choose a smaller learning rate.`);
    if (ends) judge(look);
  }

  // Controls ----------------------------------------------------------------------------------------------------------

  function state(name) {
    live.dataset.state = name;
    $("play").textContent = { playing: "❚❚ Pause", loading: "Reading the text …", done: "▶ Play again" }[name] || "▶ Play";
    for (const id of ["one", "again"]) $(id).setAttribute("aria-disabled", name === "loading" || (id === "one" && name === "playing") ? "true" : "false");
    live.querySelectorAll("fieldset").forEach((field) => { field.disabled = !["still", "ready"].includes(name); });
    $("look").hidden = mayLook || !["still", "ready"].includes(name);
  }

  function start() {
    settings = Object.fromEntries(["numNoiseWords", "window", "seed", "lr"].map((id) => [id, Number($(id).value)]));
    settings.size = 32;
    last = null;
    told = 0;
    $("judged").hidden = true;
    $("passes").replaceChildren();
    if (worker) worker.postMessage({ start: settings });
    drawLoss();
    state(worker ? "ready" : "still");
  }

  function ask(word) {
    $("word").value = word;
    if (worker) worker.postMessage({ ask: word.trim().toLowerCase() });
    else set("unknown", "There are no vectors yet: press Play first.");
  }

  /** Train to the end of a pass; on the first press the text comes first, by a script tag, since a page opened as a file may not fetch. */
  function train(pass) {
    if (!own && !mayLook && !(guess("nearest") && guess("alike"))) {
      set("said", "First your two guesses, please; or press “I’d rather just look”.");
      live.querySelector("input[type=radio]").focus();
      return;
    }
    if (!worker) { waiting = () => train(pass); loadText(); return; }
    if (live.dataset.state === "done") start();
    worker.postMessage({ play: Math.min(PASSES, pass ?? (last?.pass || 0) + 1) });
    state("playing");
  }

  function loadText() {
    state("loading");
    const script = document.createElement("script");
    script.src = `${HERE}text.js`;
    script.onerror = () => { set("said", "The text could not be loaded: text.js is missing beside this page’s scripts. Make the book again, or take its whole folder."); state("still"); };
    script.onload = () => bring({ corpus: window.PRESS_PLAY_TEXT, asked: "music", options: CHOICES, shown: dots.map((dot) => dot.word) });
    document.head.append(script);
  }

  function bring(message) {
    try {
      worker ||= new Worker(URL.createObjectURL(new Blob([`${wordTrainer};${wordWorker};onmessage = ({ data }) => answer(data); const answer = wordWorker(wordTrainer(), (said) => postMessage(said));`])));
    } catch (error) { fail(error.message); return; }
    worker.onerror = (error) => fail(error.message);
    worker.onmessage = ({ data }) => {
      if (data.look) show(data.look);
      if (data.refused) { set("refused", data.refused); state(last ? "paused" : "still"); }
      if (data.stopped) state(last.record.diverged ? "failed" : last.pass === PASSES ? "done" : last.at ? "paused" : "ready");
      if (data.ready) taken(data.ready);
    };
    worker.postMessage(message);
  }
  const fail = (reason) => { set("said", `The training can’t run in this browser: ${reason}.`); state("failed"); };

  function taken({ words, asked, numTokens, numWords, minFreq }) {
    if (own || dots[0].word !== words[0]) makeDots(words, own ? {} : GROUPS);
    $("back").hidden = !own;
    live.querySelector(".guesses").hidden = own;
    $("word").value = asked;
    set("refused", "");
    start();
    if (own) set("said", `Your text has ${numTokens.toLocaleString("en")} tokens of ${numWords.toLocaleString("en")} words that occur ${minFreq} times or more. Press Play.`);
    if (waiting) { waiting(); waiting = null; }
  }

  function takeOwn(text) {
    if ((text.length ?? text.byteLength ?? text.size) > MOST_BYTES) {
      set("refused", `This text is too large: it has ${Math.round((text.length ?? text.byteLength) / 1e6)} MB, and this page takes ${MOST_BYTES / 1e6} MB. Take a part of it, or train on your own machine: the book’s page Scale says how.`);
      return;
    }
    own = true;
    bring({ own: text });
  }
  async function takeFile(file) {
    if (file.size > MOST_BYTES) takeOwn({ length: file.size });
    else takeOwn(await file.arrayBuffer());
  }

  $("play").onclick = () => { if (live.dataset.state === "playing") worker.postMessage({ pause: true }); else if (live.dataset.state !== "loading") train(PASSES); };
  $("one").onclick = () => { if ($("one").getAttribute("aria-disabled") !== "true") train(); };
  $("again").onclick = () => { if (live.dataset.state !== "loading") { start(); set("said", "Back at the start. The same seed gives the same digits again."); } };
  $("look").onclick = () => { mayLook = true; $("play").focus(); train(PASSES); };
  live.querySelector(".ask").onsubmit = (event) => { event.preventDefault(); ask($("word").value); };
  live.querySelector(".guesses").onsubmit = (event) => event.preventDefault();
  live.querySelector(".settings").onchange = () => { start(); set("said", "The settings changed: the training starts over. Press Play."); };
  $("take").onclick = () => takeOwn($("text").value);
  $("file").onchange = () => { if ($("file").files[0]) takeFile($("file").files[0]); };
  $("back").onclick = () => { own = false; bring({ corpus: window.PRESS_PLAY_TEXT }); };
  $("own").ondragover = (event) => event.preventDefault();
  $("own").ondrop = (event) => { event.preventDefault(); if (event.dataTransfer.files[0]) takeFile(event.dataTransfer.files[0]); };
  new ResizeObserver(() => { place(); drawLoss(); }).observe(live);

  makeDots(Object.values(GROUPS).join(" ").split(" "), GROUPS);
  start();
  root.classList.add("on");
})();
