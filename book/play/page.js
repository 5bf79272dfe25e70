// "Press play": the page around trainer.js. The training runs in a worker. What the worker posts, a look, is all that
// is drawn here, and the page's state follows from the last look.
(() => {
  const live = document.querySelector(".press-play .live");
  if (!live || !window.Worker) return; // the poster stays, and says what is needed
  const $ = (id) => live.querySelector(`[data-id="${id}"]`);
  const GROUPS = [...$("key").children], WORDS = GROUPS.flatMap((key) => key.dataset.words.split(" "));
  const TEXT = document.currentScript.src.replace(/[^/]*$/, "text.js"), PASSES = $("progress").max, MOST_MEGABYTES = 10;
  const lessMotion = matchMedia("(prefers-reduced-motion: reduce)");
  let worker = null, last = null, dots = [];

  const say = (id, text) => { if ($(id).textContent !== text) $(id).textContent = text; }; // nothing is read out twice
  const settings = () => Object.fromEntries([...new FormData($("settings"))].map(([name, text]) => [name, +text]));

  function makeDots(words) {
    $("map").replaceChildren();
    dots = words.map((word) => {
      const group = GROUPS.find((key) => key.dataset.words.split(" ").includes(word)) || GROUPS[0];
      const mark = group.querySelector("path").cloneNode();
      const text = document.createElementNS(mark.namespaceURI, "text");
      text.textContent = word;
      return { word, mark, text, width: word.length * 6.6 + 4, side: 0, at: [0, 0].map(() => Math.random() - 0.5) };
    });
  }

  /** Send all words to their places. A name stands on a side of its mark where there is room; else it fades. */
  function drawMap() {
    const { clientWidth: width, clientHeight: height } = $("map");
    const farthest = Math.max(0.6, ...dots.flatMap(({ at }) => at.map(Math.abs)));
    const toPixels = (x, size) => size / 2 + (x / farthest) * (size / 2 - 24);
    const points = dots.map(({ at: [x, y] }) => [toPixels(x, width), toPixels(-y, height)]);
    const taken = points.map(([x, y]) => [x, y + 4, 8]); // middle, baseline and width of a mark, then of each name, too
    const isFree = ([x, y], wide) => x > wide / 2 && x < width - wide / 2 && y > 12 && y < height - 3 &&
      taken.every(([left, down, other]) => Math.abs(left - x) >= (wide + other) / 2 || Math.abs(down - y) >= 13);
    const move = (element, [x, y]) => { element.style.transform = `translate(${x.toFixed(1)}px, ${y.toFixed(1)}px)`; };
    dots.forEach((dot, i) => {
      const [x, y] = points[i], aside = 9 + dot.width / 2;
      const sides = [[x, y - 9], [x, y + 18], [x + aside, y + 4], [x - aside, y + 4]]; // above, below, right, left
      const free = [dot.side, 0, 1, 2, 3].find((side) => isFree(sides[side], dot.width)); // rather where it was
      dot.side = free ?? dot.side;
      move(dot.mark, [x, y]);
      move(dot.text, sides[dot.side]);
      if (!dot.mark.parentNode) $("map").append(dot.mark, dot.text); // only now, so that a new word is at its place
      dot.text.classList.toggle("gone", free === undefined);
      dot.text.classList.toggle("asked", dot.word === last?.asked);
      if (free !== undefined) taken.push([...sides[free], dot.width]);
    });
  }

  /** Move the parts of the chart, which are in play.html: its curves are in passes and losses, all else in percent. */
  function drawLoss({ training, passes }) {
    const heldOut = passes.map((pass, at) => [at, pass.heldOut]), share = 1 / (1 + settings().numNoiseWords);
    const blind = -share * Math.log(share) - (1 - share) * Math.log(1 - share); // who always answers the same (step 4)
    const losses = [...training, ...heldOut].map(([, loss]) => loss).filter(Number.isFinite);
    const top = Math.min(1.6, Math.max(0.72, ...losses)), bottom = Math.min(blind - 0.09, ...losses) - 0.02;
    const set = (id, name, value) => $(id).setAttribute(name, value);
    const down = (loss) => `${(100 * (top - loss)) / (top - bottom)}%`;
    const points = (pairs) => pairs.map(([pass, loss]) => [pass, -Math.min(top, loss || top)]); // NaN is at the top
    set("curves", "viewBox", [0, -top, PASSES, top - bottom]);
    set("training", "points", points(training));
    set("held-out", "points", points(heldOut));
    set("dots", "d", points(heldOut).map((point) => `M${point}h0`).join(""));
    set("knows-nothing", "y", down(Math.LN2));
    set("blind", "y", down(blind));
    $("losses").innerHTML = "";
    for (let tenths = Math.ceil(bottom * 10); tenths <= top * 10; tenths++)
      $("losses").innerHTML += `<text x="-6" y="${down(tenths / 10)}" dy="4" class="end">${tenths / 10}</text>`;
  }

  /** A cosine in words, never as -0.00. */
  const told = (cosine) => cosine.toFixed(2).replace("-0.00", "0.00");

  /** What the look at the end of a pass, or of a training that diverged, is said in. */
  function sentence({ pass, passes, diverged, toFirst, shown, isOwn, numWords }) {
    if (diverged) return "The training diverged: its loss is beyond all bounds. Choose a smaller learning rate.";
    if (!pass && isOwn) return `Your text has ${numWords.toLocaleString("en")} words with a vector. Press Play.`;
    if (!pass) return "Nothing is trained yet: chance decides where the words stand.";
    const { heldOut, random } = passes[pass], lowest = Math.min(...passes.map((one) => one.heldOut));
    const byHeart = passes[pass].training < passes[pass - 1].training && ": it now learns the training text by heart";
    return `After pass ${pass} of ${PASSES} the held-out loss is ${heldOut.toFixed(3)}, ` +
      `${heldOut === lowest ? "the lowest so far" : `above the lowest, ${lowest.toFixed(3)}${byHeart || ""}`}; ` +
      `two random words have a cosine of ${told(random)}${random > 0.8 ? ", so all words look alike" : ""}; ` +
      `nearest to ${shown[0]}: ${toFirst.slice(0, 3).map(([word]) => word).join(", ")}.`;
  }

  /** Judge the guesses, each as soon as that can be done. */
  function judge({ pass, passes, toFirst }) {
    const { nearest, alike } = $("controls").elements, tell = ([word, , cosine]) => `${word} ${told(cosine)}`;
    const four = toFirst.filter(([word]) => [...nearest].some(({ value }) => value === word));
    const verdict = (id, { value: guess }, right) =>
      say(id, guess && `You said ${guess}${guess === right ? ", and you were right" : ""}. `);
    $("judged").hidden = !pass;
    $("at-end").hidden = pass < PASSES;
    if (!pass) return;
    verdict("alike", alike, passes[1].random > 0.5 ? "yes" : "no");
    verdict("nearest", nearest, four[0]?.[0]);
    say("first-random", told(passes[1].random));
    say("four", four.map(tell).join(", "));
    say("first", tell(toFirst[0]));
  }

  function setState(name) {
    live.dataset.state = name;
    say("play", { playing: "❚❚ Pause", loading: "Reading …", done: "▶ Play again" }[name] || "▶ Play");
  }

  function show(look) {
    const { at, pass, passes, near, asked, isOwn, isPlaying, diverged } = look, isEnd = Number.isInteger(at);
    last = look;
    setState(isPlaying ? "playing" : diverged ? "failed" : pass === PASSES ? "done" : at ? "paused" : "ready");
    if (look.shown.join() !== dots.map(({ word }) => word).join()) {
      makeDots(look.shown);
      $("word").value = asked;
    }
    live.classList.toggle("own", isOwn);
    $("guesses").disabled = $("guesses").hidden || isOwn || isPlaying || at > 0;
    $("progress").value = at;
    say("count", `${pass} of ${PASSES} passes`);
    if (diverged) {
      say("said", sentence(look));
      return drawLoss(look);
    }
    $("near").hidden = !near;
    say("unknown", near ? "" : `“${asked}” does not occur in the text, or too seldom for a vector. Try a word of the map.`);
    near?.forEach(([word, count, cosine], i) => {
      const [name, times, likeness] = $("near").tBodies[0].rows[i].cells;
      name.firstChild.textContent = word; // a row keeps its button, so the keyboard's focus stays
      times.textContent = count.toLocaleString("en");
      likeness.textContent = told(cosine);
    });
    if (lessMotion.matches && isPlaying && !isEnd) return; // one picture for each pass
    dots.forEach((dot, i) => { dot.at = look.places[i]; });
    drawMap();
    drawLoss(look);
    say("kept", ` by PCA, which keeps ${Math.round(look.kept * 100)} % of their differences`);
    say("random", told(look.random));
    $("meter").value = look.random;
    if (!isEnd) return;
    say("said", sentence(look));
    const rows = passes.map(({ training, heldOut, random }, number) =>
      [number, training?.toFixed(4) ?? "–", heldOut.toFixed(4), told(random)]);
    $("passes").tBodies[0].innerHTML = rows.map((row) => `<tr><td>${row.join("<td>")}`).join("");
    judge(look);
  }

  function send(message) {
    if (!worker) {
      const source = `${wordTrainer}\nonmessage = wordTrainer(postMessage).answer;`;
      worker = new Worker(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
      worker.onmessage = ({ data }) => (data.refused ? refuse(data.refused) : show(data));
      worker.onerror = ({ message: reason }) => {
        setState("failed");
        say("said", `The training can’t run in this browser: ${reason}.`);
      };
    }
    say("refused", "");
    worker.postMessage(message);
  }

  /** Load the book's text by a script tag, which works where the page was opened as a file, too. */
  function loadBook(goal) {
    setState("loading");
    const script = Object.assign(document.createElement("script"), { src: TEXT });
    script.onload = () => send({ text: window.PRESS_PLAY_TEXT, shown: WORDS, start: settings(), goal });
    script.onerror = () => {
      setState("still");
      say("said", "The text can’t be loaded: text.js is not beside the scripts. Take the book’s whole folder.");
    };
    document.head.append(script);
  }

  function refuse(reason) {
    $("own").open = true;
    say("refused", reason);
    if (!last) setState("still"); // else a look follows
  }

  /** Train on a text of the reader's, a Blob; it goes to the worker, and no further. */
  function takeOwn(blob) {
    if (blob.size > MOST_MEGABYTES * 1e6)
      return refuse(`This text has ${Math.round(blob.size / 1e6)} MB, and this page takes ${MOST_MEGABYTES} at most. ` +
        "Take a part of it, or train on your own machine, as the page Scale tells.");
    blob.text().then((own) => send({ own, start: settings() }), ({ message }) => refuse(message));
  }

  function train(isOnePass) {
    const isOver = !last || last.diverged || last.pass === PASSES;
    const goal = isOnePass ? (isOver ? 0 : last.pass) + 1 : PASSES;
    if (last) send({ start: isOver && settings(), goal });
    else if (live.dataset.state !== "loading") loadBook(goal);
  }

  function ask(word) {
    $("word").value = word;
    if (last) send({ asked: word.trim().toLowerCase() });
  }

  live.onsubmit = (event) => event.preventDefault();
  $("controls").onsubmit = ({ submitter }) => {
    if (last?.isPlaying && submitter === $("play")) send({ goal: 0 });
    else train(submitter === $("one"));
  };
  $("look").onclick = () => {
    $("guesses").disabled = $("guesses").hidden = true;
    $("play").focus();
    train(false);
  };
  $("again").onclick = $("settings").onchange = () => { if (last) send({ start: settings() }); };
  $("ask").onsubmit = () => ask($("word").value);
  $("near").onclick = $("map").onclick = ({ target }) => {
    if (target.matches("button, text")) ask(target.textContent);
  };
  $("take").onsubmit = () => takeOwn(new Blob([$("text").value]));
  $("file").onchange = () => { if ($("file").files[0]) takeOwn($("file").files[0]); };
  $("back").onclick = () => loadBook(0);
  live.ondragover = live.ondrop = (event) => {
    if (!event.dataTransfer.types.includes("Files")) return; // words that are dragged into a field
    event.preventDefault();
    if (event.dataTransfer.files[0]) takeOwn(event.dataTransfer.files[0]); // there is none while it is still held
  };

  live.hidden = false;
  live.parentElement.classList.add("on");
  for (let row = 1; row < 8; row++) $("near").tBodies[0].append($("near").tBodies[0].rows[0].cloneNode(true));
  makeDots(WORDS);
  drawLoss({ training: [], passes: [] });
  new ResizeObserver(drawMap).observe($("map"));
})();
