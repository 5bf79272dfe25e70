// Skip-gram with negative sampling, as in steps 1 to 6, number by number and without a library. All of it is one function, because a page
// that was opened as a file may start a worker only from source that it has. Id 0 is "no word here", as in step 1.
function wordTrainer() {
  const FEWEST_WORDS = 100, MOST_WORDS = 32767, HELD_OUT_SHARE = 0.05; // of a text of the reader's
  const CENTERS_AT_ONCE = 8192, PARTS_OF_A_PASS = 5, HELD_OUT_SEED = 7, PAIRS_SEED = 3, NUM_PAIRS = 1000;

  /** mulberry32: a function that returns numbers from 0 to 1, the same ones for the same seed. */
  function generator(seed) {
    return () => {
      seed = (seed + 0x6d2b79f5) | 0;
      let mixed = Math.imul(seed ^ (seed >>> 15), seed | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
    };
  }

  // The text ----------------------------------------------------------------------------------------------------------------------

  /** The ids that book/play_text.py packed: below 128 one byte, else two, the first with its highest bit set. */
  function unpack(base64) {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)), ids = [];
    for (let at = 0; at < bytes.length; at++) ids.push(bytes[at] < 128 ? bytes[at] : ((bytes[at] & 127) << 8) | bytes[++at]);
    return Uint16Array.from(ids);
  }

  /** The corpus that book/play_text.py wrote; in its ids a 0 stands before and after each article. */
  function bookCorpus({ words, train, heldOut, minFreq }) {
    return counted(["", ...words.split(" ")], unpack(train), unpack(heldOut), minFreq);
  }

  /** The corpus of a reader's text: words are runs of letters, and no window crosses an empty line. An Error says what it lacks. */
  function ownCorpus(text) {
    const paragraphs = text.normalize("NFC").toLowerCase().split(/\n\s*\n/);
    const sentences = paragraphs.map((paragraph) => paragraph.match(/\p{L}[\p{L}\p{M}]*/gu) || []);
    const tokens = sentences.flat(), numTrain = Math.round(tokens.length * (1 - HELD_OUT_SHARE)), frequency = new Map();
    for (const token of tokens.slice(0, numTrain)) frequency.set(token, (frequency.get(token) || 0) + 1);
    const minFreq = tokens.length < 200000 ? 5 : 10;
    const frequent = [...frequency.keys()].filter((token) => frequency.get(token) >= minFreq);
    if (frequent.length < FEWEST_WORDS)
      throw new Error(`This text is too short: of its ${tokens.length.toLocaleString("en")} words ${frequent.length} different ones ` +
        `occur ${minFreq} times or more, and ${FEWEST_WORDS} are needed. Try a whole book, or several articles.`);
    frequent.sort((one, other) => frequency.get(other) - frequency.get(one));
    const words = ["", ...frequent.slice(0, MOST_WORDS)], idOf = new Map(words.map((word, id) => [word, id]));
    const train = [0], heldOut = [0];
    let seen = 0;
    for (const sentence of sentences) {
      for (const token of sentence) (seen++ < numTrain ? train : heldOut).push(idOf.get(token) ?? -1);
      train.push(0);
      heldOut.push(0);
    }
    const [trainIds, heldOutIds] = [train, heldOut].map((ids) => Uint16Array.from(ids.filter((id) => id >= 0)));
    return counted(words, trainIds, heldOutIds, minFreq);
  }

  /** Add what step 1 makes of the counts: each word's chance to survive subsampling, and what noise words are drawn from. */
  function counted(words, train, heldOut, minFreq) {
    const counts = new Float64Array(words.length);
    for (const id of train) if (id) counts[id]++;
    const numTokens = counts.reduce((sum, count) => sum + count, 0);
    const keep = counts.map((count) => Math.min(1, Math.sqrt((1e-4 * numTokens) / Math.max(count, 1))));
    return { words, train, heldOut, minFreq, counts, numTokens, keep, noise: noiseBoxes(counts) };
  }

  /**
   * Words in proportion to their counts to the power 3/4, in boxes of equal size: box i holds word i up to its border, and one other
   * word above. So a draw takes one random number and no search. Source: Walker 1977, https://doi.org/10.1145/355744.355749.
   */
  function noiseBoxes(counts) {
    const weights = counts.map((count) => count ** 0.75), mean = weights.reduce((sum, weight) => sum + weight, 0) / weights.length;
    const border = weights.map((weight) => weight / mean), other = new Uint16Array(counts.length), low = [], high = [];
    border.forEach((height, word) => (height < 1 ? low : high).push(word));
    while (low.length && high.length) {
      const word = low.pop(), giver = high[high.length - 1];
      other[word] = giver;
      border[giver] -= 1 - border[word];
      if (border[giver] < 1) low.push(high.pop());
    }
    return { border, other };
  }

  function drawNoise({ border, other }, random) {
    const place = random() * border.length, word = Math.floor(place);
    return place - word < border[word] ? word : other[word];
  }

  // The training ------------------------------------------------------------------------------------------------------------------

  /** A model before training, both tables as step 2 draws them, and `record`, which holds all that is measured. */
  function newRun(corpus, { seed, size, lr, window, numNoiseWords }) {
    const random = generator(seed), length = corpus.words.length * size, bound = Math.sqrt(6 / (corpus.words.length + size));
    const table = () => Float32Array.from({ length }, () => (2 * random() - 1) * bound);
    const run = {
      corpus, size, lr, window, numNoiseWords, random, embedV: table(), embedU: table(), step: new Float64Array(size),
      contexts: new Uint16Array(2 * window), contextOf: new Uint32Array(corpus.words.length), // the last center with this context word
      centers: 0, pass: 0, place: 0, ids: null, order: null, lossSum: 0, questions: 0, axes: null, record: null,
    };
    run.record = { training: [], passes: [{ heldOut: heldOutLoss(run), random: randomCosine(run) }], diverged: false };
    return run;
  }

  /** Ask whether `word` stands near `center`; returns the loss. With a rate, `word`'s row takes its step, and `step` gets the center's. */
  function ask(run, center, word, label, rate) {
    const { embedV, embedU, size, step } = run, v = center * size, u = word * size;
    let score = 0;
    for (let d = 0; d < size; d++) score += embedV[v + d] * embedU[u + d];
    const small = Math.exp(-Math.abs(score)), probability = (score < 0 ? small : 1) / (1 + small);
    if (rate) {
      const change = rate * (label - probability); // minus the rate times the derivative with respect to the score (step 4)
      for (let d = 0; d < size; d++) {
        step[d] += change * embedU[u + d];
        embedU[u + d] += change * embedV[v + d];
      }
    }
    return Math.log(1 + small) + Math.max(label ? -score : score, 0);
  }

  /** A context word and its noise words, none of which is a context word of this center; returns the sum of their losses. */
  function trainPair(run, center, context, rate, random) {
    const { embedV, size, step, numNoiseWords, contextOf, centers } = run, { noise } = run.corpus;
    step.fill(0);
    let loss = ask(run, center, context, 1, rate);
    for (let k = 0; k < numNoiseWords; k++) {
      let word = drawNoise(noise, random);
      while (contextOf[word] === centers) word = drawNoise(noise, random);
      loss += ask(run, center, word, 0, rate);
    }
    if (rate) for (let d = 0; d < size; d++) embedV[center * size + d] += step[d];
    return loss;
  }

  /** Draw the window of the center at `ids[at]`, and go over its context words. There is no padding, so there is nothing to mask. */
  function trainCenter(run, ids, at, rate, random) {
    const { contexts, contextOf } = run, reach = 1 + Math.floor(random() * run.window);
    let found = 0;
    run.centers++;
    for (let other = at - 1; other >= at - reach && ids[other]; other--) contexts[found++] = ids[other];
    for (let other = at + 1; other <= at + reach && ids[other]; other++) contexts[found++] = ids[other];
    for (let c = 0; c < found; c++) contextOf[contexts[c]] = run.centers;
    for (let c = 0; c < found; c++) run.lossSum += trainPair(run, ids[at], contexts[c], rate, random);
    run.questions += found * (1 + run.numNoiseWords);
  }

  const subsample = (ids, keep, random) => ids.filter((id) => !id || random() < keep[id]); // a 0 stays: no window crosses it

  /** The mean loss of the questions since the last call. */
  function meanLoss(run) {
    const mean = run.lossSum / run.questions;
    run.lossSum = run.questions = 0;
    return mean;
  }

  /** The loss of the held-out text, with the same windows and noise words each time; no row moves. */
  function heldOutLoss(run) {
    const random = generator(HELD_OUT_SEED), ids = subsample(run.corpus.heldOut, run.corpus.keep, random);
    for (let at = 0; at < ids.length; at++) if (ids[at]) trainCenter(run, ids, at, 0, random);
    return meanLoss(run);
  }

  /**
   * Subsample the text again, and shuffle its centers. In the text's own order neighboring centers are alike, and a model that has just
   * seen one knows the next: the training loss would lie below the held-out loss from the start.
   */
  function beginPass(run) {
    run.ids = subsample(run.corpus.train, run.corpus.keep, run.random);
    const order = (run.order = Uint32Array.from(run.ids.keys()).filter((at) => run.ids[at]));
    for (let last = order.length - 1; last > 0; last--) {
      const other = Math.floor(run.random() * (last + 1));
      [order[last], order[other]] = [order[other], order[last]];
    }
  }

  /** Train on as many centers as take a moment; `record` gets the mean loss of each fifth of a pass, and what is found at its end. */
  function trainSome(run) {
    if (!run.place) beginPass(run);
    const { order, record } = run, part = Math.ceil(order.length / PARTS_OF_A_PASS);
    const nextPart = (Math.floor(run.place / part) + 1) * part;
    const end = Math.min(run.place + CENTERS_AT_ONCE, nextPart, order.length);
    while (run.place < end) trainCenter(run, run.ids, order[run.place++], run.lr, run.random);
    if (!(run.lossSum / run.questions < 2 * Math.LN2)) record.diverged = true; // twice that of an untrained model, or no number
    if (end < nextPart && end < order.length && !record.diverged) return;
    record.training.push([run.pass + end / order.length, meanLoss(run)]);
    if (end < order.length) return;
    run.pass++;
    run.place = 0;
    const parts = record.training.slice(-PARTS_OF_A_PASS);
    const training = parts.reduce((sum, [, partLoss]) => sum + partLoss, 0) / parts.length;
    record.passes.push({ training, heldOut: heldOutLoss(run), random: randomCosine(run) });
  }

  // A look at the vectors ---------------------------------------------------------------------------------------------------------

  const dot = (one, other) => one.reduce((sum, x, d) => sum + x * other[d], 0);
  const unit = (row, length = Math.sqrt(dot(row, row)) || 1) => row.map((x) => x / length);
  const unitRow = (run, id) => unit(Float64Array.from(run.embedV.subarray(id * run.size, (id + 1) * run.size)));

  /** The k words of largest cosine with `word`, each as [word, count, cosine]; null for a word without a vector. */
  function nearest(run, word, k) {
    const { words, counts } = run.corpus, id = words.indexOf(word), { embedV, size } = run;
    if (id < 1) return null;
    const query = unitRow(run, id), found = [];
    for (let other = 1; other < words.length; other++) {
      let product = 0, square = 0;
      for (let d = 0, at = other * size; d < size; d++, at++) {
        product += embedV[at] * query[d];
        square += embedV[at] * embedV[at];
      }
      if (other !== id) found.push([words[other], counts[other], product / (Math.sqrt(square) || 1)]);
    }
    return found.sort((one, other) => other[2] - one[2]).slice(0, k);
  }

  /** The mean cosine of pairs of words that were drawn at random (step 6), the same pairs each time. */
  function randomCosine(run) {
    const random = generator(PAIRS_SEED), draw = () => unitRow(run, 1 + Math.floor(random() * (run.corpus.words.length - 1)));
    let sum = 0;
    for (let pair = 0; pair < NUM_PAIRS; pair++) sum += dot(draw(), draw());
    return sum / NUM_PAIRS;
  }

  /** Place words by the two directions in which their unit rows differ most (PCA); `kept` is these two's share of all differences. */
  function placeOnMap(run, ids) {
    const rows = ids.map((id) => unitRow(run, id));
    const mean = rows[0].map((_, d) => rows.reduce((sum, row) => sum + row[d], 0) / rows.length);
    const centered = rows.map((row) => row.map((x, d) => x - mean[d])), axes = [];
    const add = (sum, row, factor) => row.forEach((x, d) => { sum[d] += factor * x; });
    for (const number of [0, 1]) {
      let axis = run.axes ? run.axes[number] : mean.map((_, d) => Math.sin((number + 1) * d + 1));
      for (let round = 0; round < 30; round++) { // power iteration, from where the axis was at the last look: so the map turns slowly
        const next = new Float64Array(run.size);
        for (const row of centered) add(next, row, dot(row, axis));
        for (const earlier of axes) add(next, earlier, -dot(next, earlier));
        axis = unit(next);
      }
      axes.push(axis);
    }
    run.axes = axes;
    const places = centered.map((row) => axes.map((axis) => dot(row, axis)));
    const square = (points) => points.reduce((sum, point) => sum + dot(point, point), 0);
    return { places, kept: square(places) / (square(centered) || 1) };
  }

  return { generator, bookCorpus, ownCorpus, newRun, ask, trainPair, trainSome, heldOutLoss, nearest, randomCosine, placeOnMap };
}

// What the worker does with a message. {corpus} or {own} brings a text, {start} makes a new model, {ask} names a word, {play} says to
// which pass to train, {pause} ends that. It posts {ready} or {refused}, and, with the number of the start, {look} and {stopped}.
function wordWorker(trainer, post) {
  const NUM_NEIGHBORS = 8, NUM_SHOWN = 48, QUERY = "music";
  let corpus, run, number, shown, asked, goal = 0, timer = 0;

  /** A text as a string, or the bytes of a file, which must be UTF-8 and hold no zero byte. */
  function readable(own) {
    try {
      const text = typeof own === "string" ? own : new TextDecoder("utf-8", { fatal: true }).decode(own);
      if (!text.includes("\0")) return text;
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
    throw new Error("This is not plain text in UTF-8. Most programs can save it as that, under “Save as”.");
  }

  function bring(message) {
    const taken = "own" in message ? trainer.ownCorpus(readable(message.own)) : trainer.bookCorpus(message.corpus);
    const start = { size: 4, seed: 0, lr: 0, window: 2, numNoiseWords: 1 };
    if (Number.isNaN(trainer.newRun(taken, start).record.passes[0].heldOut))
      throw new Error("The last 5 % of this text, which are held out, share too few words with the rest. Take a text of one kind.");
    corpus = taken;
    const { words, numTokens, minFreq } = corpus, longer = words.filter((word) => word.length > 4).slice(0, NUM_SHOWN);
    shown = (message.shown || (longer.length > NUM_SHOWN / 2 ? longer : words.slice(1, NUM_SHOWN + 1))).map((word) => words.indexOf(word));
    asked = message.shown ? QUERY : words[shown[0]];
    post({ ready: { own: "own" in message, words: shown.map((id) => words[id]), asked, numTokens, numWords: words.length - 1, minFreq } });
  }

  function look() {
    const { pass, place, order, record } = run, all = place ? null : trainer.nearest(run, QUERY, corpus.words.length);
    const near = trainer.nearest(run, asked, NUM_NEIGHBORS), random = trainer.randomCosine(run);
    const at = pass + (place && place / order.length);
    post({ number, look: { at, pass, record, asked, near, random, all, ...trainer.placeOnMap(run, shown) } });
  }

  function go() {
    trainer.trainSome(run);
    look();
    if (run.pass < goal && !run.record.diverged) timer = setTimeout(go, 0);
    else post({ number, stopped: true });
  }

  return (message) => {
    if ("corpus" in message || "own" in message) {
      clearTimeout(timer); // a training ends where another text may come
      try {
        bring(message);
      } catch (error) {
        post({ refused: error.message });
      }
    }
    if (message.start || message.pause) clearTimeout(timer);
    if (message.start) [run, number] = [trainer.newRun(corpus, message.start), message.number];
    if (message.pause) post({ number, stopped: true });
    if (message.ask) asked = message.ask;
    if (message.start || message.ask) look();
    if (message.play) [goal, timer] = [message.play, setTimeout(go, 0)];
  };
}
