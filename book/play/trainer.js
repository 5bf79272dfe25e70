// Skip-gram with negative sampling, as in steps 1 to 6, number by number, without a library. All of it is one function, because
// a page that was opened as a file may start a worker only from a function's source. Id 0 is "no word here", as in step 1.
function wordTrainer() {
  const FEWEST_WORDS = 100, MOST_WORDS = 32767, CENTERS_AT_ONCE = 8192, PARTS_OF_A_PASS = 5;
  const HELD_OUT_SEED = 7, PAIRS_SEED = 3, NUM_PAIRS = 1000, HELD_OUT_SHARE = 0.05;

  // Randomness ------------------------------------------------------------------------------------------------------

  /** mulberry32: a function that returns the next number of 0 to 1, the same ones for the same seed. */
  function generator(seed) {
    return () => {
      seed = (seed + 0x6d2b79f5) | 0;
      let mixed = Math.imul(seed ^ (seed >>> 15), seed | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
    };
  }

  function shuffle(array, random) {
    for (let last = array.length - 1; last > 0; last--) {
      const other = Math.floor(random() * (last + 1)), kept = array[last];
      array[last] = array[other];
      array[other] = kept;
    }
  }

  // The text --------------------------------------------------------------------------------------------------------

  /** Ids as book/play_text.py writes them: one byte below 128, else two with the first one's highest bit set. */
  function decode(base64) {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)), ids = [];
    for (let at = 0; at < bytes.length; at++) ids.push(bytes[at] < 128 ? bytes[at] : ((bytes[at] & 127) << 8) | bytes[++at]);
    return Uint16Array.from(ids);
  }

  /** The corpus that book/play_text.py wrote: {words, train, heldOut}; the ids have a 0 before and after each article. */
  function bookCorpus(text) {
    return counted(["", ...text.words.split(" ")], decode(text.train), decode(text.heldOut), text.minFreq);
  }

  /** The corpus of a reader's text: words are runs of letters, no window crosses an empty line. An Error says what it lacks. */
  function ownCorpus(text) {
    const paragraphs = text.normalize("NFC").toLowerCase().split(/\n\s*\n/);
    const sentences = paragraphs.map((paragraph) => paragraph.match(/\p{L}[\p{L}\p{M}]*/gu) || []);
    const numTokens = sentences.reduce((sum, sentence) => sum + sentence.length, 0);
    const minFreq = numTokens < 200000 ? 5 : 10, frequency = new Map(), toTrain = Math.round(numTokens * (1 - HELD_OUT_SHARE));
    let at = 0;
    for (const sentence of sentences)
      for (const word of sentence) if (at++ < toTrain) frequency.set(word, (frequency.get(word) || 0) + 1);
    const frequent = [...frequency.keys()].filter((word) => frequency.get(word) >= minFreq);
    if (frequent.length < FEWEST_WORDS)
      throw new Error(`This text is too short: it has ${numTokens.toLocaleString("en")} words, and ${frequent.length} different ones ` +
        `occur ${minFreq} times or more; ${FEWEST_WORDS} are needed. Try a whole book, or several articles.`);
    frequent.sort((one, other) => frequency.get(other) - frequency.get(one) || (one < other ? -1 : 1));
    const words = ["", ...frequent.slice(0, MOST_WORDS)], idOf = new Map(words.map((word, id) => [word, id]));
    const train = [0], heldOut = [0];
    at = 0;
    for (const sentence of sentences) {
      for (const word of sentence) {
        const part = at++ < toTrain ? train : heldOut;
        if (idOf.has(word)) part.push(idOf.get(word));
      }
      train.push(0);
      heldOut.push(0);
    }
    return counted(words, Uint16Array.from(train), Uint16Array.from(heldOut), minFreq);
  }

  /** Add what step 1 makes of the counts: each word's chance to survive subsampling, and the boxes that noise words come from. */
  function counted(words, train, heldOut, minFreq) {
    const counts = new Float64Array(words.length);
    for (const id of train) if (id) counts[id]++;
    const numTokens = counts.reduce((sum, count) => sum + count, 0);
    const keep = counts.map((count) => Math.min(1, Math.sqrt((1e-4 * numTokens) / Math.max(count, 1))));
    return { words, train, heldOut, minFreq, counts, numTokens, keep, noise: noiseBoxes(counts) };
  }

  /**
   * Words in proportion to their counts to the power 3/4, as n equal boxes: box i holds word i, and above `border` another word.
   * So a draw needs one random number and no search. Source: Walker 1977, https://doi.org/10.1145/355744.355749.
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

  // The training ----------------------------------------------------------------------------------------------------

  /** A model before training, both tables as step 2 draws them, and `record`, which holds all that is measured. */
  function newRun(corpus, { seed, size, lr, window, numNoiseWords }) {
    const random = generator(seed), length = corpus.words.length * size, bound = Math.sqrt(6 / (corpus.words.length + size));
    const table = () => Float32Array.from({ length }, () => (2 * random() - 1) * bound);
    const run = {
      corpus, size, lr, window, numNoiseWords, random, embedV: table(), embedU: table(), step: new Float64Array(size),
      contexts: new Uint16Array(2 * window), contextOf: new Uint32Array(corpus.words.length), // the last center that had this context word
      centers: 0, pass: 0, place: 0, ids: null, order: null, lossSum: 0, questions: 0, axes: null, record: null,
    };
    run.record = { training: [], passes: [{ heldOut: heldOutLoss(run), random: randomCosine(run) }] };
    return run;
  }

  /** Ask one question: does `word` stand near `center`? Returns its loss; with a rate both rows take a step of gradient descent. */
  function ask(run, center, word, label, rate) {
    const { embedV, embedU, size, step } = run, v = center * size, u = word * size;
    let score = 0;
    for (let d = 0; d < size; d++) score += embedV[v + d] * embedU[u + d];
    const small = Math.exp(-Math.abs(score));
    const probability = score < 0 ? small / (1 + small) : 1 / (1 + small);
    if (rate) {
      const change = rate * (label - probability); // minus the derivative of the loss with respect to the score (step 4)
      for (let d = 0; d < size; d++) {
        step[d] += change * embedU[u + d];
        embedU[u + d] += change * embedV[v + d];
      }
    }
    return Math.log(1 + small) + Math.max(label ? -score : score, 0);
  }

  /** A context word and its noise words, none of which is a context word of this center; the center's row moves once, at the end. */
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

  /** Draw the window of the center at `ids[at]`, and go over its context words. There is no padding, so nothing is to be masked. */
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

  const subsample = (ids, keep, random) => ids.filter((id) => !id || random() < keep[id]); // 0 stays: no window crosses it

  /** The mean loss since the last call, over all questions. */
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

  /** Subsample the text anew, and put its centers in a new order: in the text's own, neighboring centers are too much alike. */
  function beginPass(run) {
    run.ids = subsample(run.corpus.train, run.corpus.keep, run.random);
    run.order = Uint32Array.from(run.ids.keys()).filter((at) => run.ids[at]);
    shuffle(run.order, run.random);
  }

  /** Train on the next centers, as many as take a moment. `record` gets the mean loss of each fifth of a pass. */
  function trainSome(run) {
    if (!run.place) beginPass(run);
    const { order, record } = run, part = Math.ceil(order.length / PARTS_OF_A_PASS), before = run.place;
    const end = Math.min(before + CENTERS_AT_ONCE, order.length, (Math.floor(before / part) + 1) * part);
    while (run.place < end) trainCenter(run, run.ids, order[run.place++], run.lr, run.random);
    if (end % part && end < order.length) return;
    const loss = meanLoss(run);
    record.training.push([run.pass + end / order.length, loss]);
    if (!(loss < 2 * Math.LN2)) record.diverged = loss;
    if (end === order.length) endPass(run);
  }

  function endPass(run) {
    run.pass++;
    run.place = 0;
    const parts = run.record.training.slice(-PARTS_OF_A_PASS).map(([, loss]) => loss);
    const training = parts.reduce((sum, loss) => sum + loss, 0) / parts.length;
    run.record.passes.push({ training, heldOut: heldOutLoss(run), random: randomCosine(run) });
  }

  // A look at the vectors -------------------------------------------------------------------------------------------

  const dot = (one, other) => one.reduce((sum, x, d) => sum + x * other[d], 0);
  const addTo = (sum, row, factor) => row.forEach((x, d) => { sum[d] += factor * x; });

  function scaled(row) {
    const length = Math.sqrt(dot(row, row)) || 1;
    return row.map((x) => x / length);
  }

  /** The row of a word in the table of centers, scaled to length 1. */
  const unitRow = (run, id) => scaled(Float64Array.from(run.embedV.subarray(id * run.size, (id + 1) * run.size)));

  /** The k words of largest cosine, [word, count, cosine] each; null for a word without a vector. */
  function nearest(run, word, k) {
    const { words, counts } = run.corpus, id = words.indexOf(word), query = id > 0 && unitRow(run, id), cosines = [];
    if (!query) return null;
    for (let other = 1; other < words.length; other++) {
      let product = 0, square = 0;
      for (let d = 0, at = other * run.size; d < run.size; d++, at++) {
        product += run.embedV[at] * query[d];
        square += run.embedV[at] * run.embedV[at];
      }
      if (other !== id) cosines.push([words[other], counts[other], product / (Math.sqrt(square) || 1)]);
    }
    return cosines.sort((one, other) => other[2] - one[2]).slice(0, k);
  }

  /** The mean cosine of pairs of words that were drawn at random (step 6), the same pairs each time. */
  function randomCosine(run) {
    const random = generator(PAIRS_SEED), draw = () => unitRow(run, 1 + Math.floor(random() * (run.corpus.words.length - 1)));
    let sum = 0;
    for (let pair = 0; pair < NUM_PAIRS; pair++) sum += dot(draw(), draw());
    return sum / NUM_PAIRS;
  }

  /** Place words by the two directions in which their unit rows differ most (PCA); `kept` is those two's share of the differences. */
  function placeOnMap(run, ids) {
    const rows = ids.map((id) => unitRow(run, id)), axes = [];
    const mean = rows[0].map((_, d) => rows.reduce((sum, row) => sum + row[d], 0) / rows.length);
    const centered = rows.map((row) => row.map((x, d) => x - mean[d]));
    for (const number of [0, 1]) {
      // power iteration, from where this axis was at the last look: so the map turns slowly
      let axis = run.axes ? run.axes[number] : mean.map((_, d) => Math.sin((number + 1) * d + 1));
      for (let round = 0; round < 30; round++) {
        const next = new Float64Array(run.size);
        for (const row of centered) addTo(next, row, dot(row, axis));
        for (const earlier of axes) addTo(next, earlier, -dot(next, earlier));
        axis = scaled(next);
      }
      axes.push(axis);
    }
    run.axes = axes;
    const places = centered.map((row) => axes.map((axis) => dot(row, axis))), square = (all) => all.reduce((sum, one) => sum + dot(one, one), 0);
    return { places, kept: square(places) / (square(centered) || 1) };
  }

  return { generator, decode, bookCorpus, ownCorpus, newRun, drawNoise, ask, trainPair, trainSome, heldOutLoss, nearest, randomCosine, placeOnMap };
}

// What the worker does with a message of the page's: {corpus} or {own} brings a text, {start} a new model with these settings,
// {ask} a word, {play} the pass to train to, {pause} an end. It posts {ready}, {refused}, {look} and {stopped}.
function wordWorker(trainer, post) {
  const NUM_NEIGHBORS = 8;
  let corpus, run, shown, options, asked, goal = 0, timer = 0;

  function look() {
    const { pass, place, order, record } = run, guessed = place ? [] : trainer.nearest(run, "music", corpus.words.length) || [];
    post({
      look: {
        at: pass + (place ? place / order.length : 0), pass, record, asked, near: trainer.nearest(run, asked, NUM_NEIGHBORS),
        random: trainer.randomCosine(run), first: guessed[0], options: guessed.filter(([word]) => options.includes(word)), ...trainer.placeOnMap(run, shown),
      },
    });
  }

  function go() {
    trainer.trainSome(run);
    look();
    if (run.pass < goal && !run.record.diverged) timer = setTimeout(go, 0);
    else post({ stopped: true });
  }

  function bring(text) {
    const taken = "own" in text ? trainer.ownCorpus(readable(text.own)) : trainer.bookCorpus(text.corpus), longer = [];
    for (let id = 1; id < taken.words.length && longer.length < 48; id++) if (taken.words[id].length > 4) longer.push(id);
    corpus = taken;
    options = text.options || [];
    shown = text.shown ? text.shown.map((word) => corpus.words.indexOf(word)) : longer;
    asked = text.asked || corpus.words[shown[0]];
    post({ ready: { words: shown.map((id) => corpus.words[id]), asked, numTokens: corpus.numTokens, numWords: corpus.words.length - 1, minFreq: corpus.minFreq } });
  }

  function readable(own) {
    if (typeof own === "string") return own;
    try {
      const text = new TextDecoder("utf-8", { fatal: true }).decode(own);
      if (!text.includes("\0")) return text;
    } catch { /* told below */ }
    throw new Error("This file is not plain text in UTF-8. Save it as plain text first: most programs can, under “Save as”.");
  }

  return (message) => {
    if ("corpus" in message || "own" in message)
      try { bring(message); } catch (error) { post({ refused: error.message }); return; }
    if (message.start) {
      clearTimeout(timer);
      run = trainer.newRun(corpus, message.start);
    }
    if (message.ask) asked = message.ask;
    if (message.pause) {
      clearTimeout(timer);
      post({ stopped: true });
    }
    if (message.play) {
      goal = message.play;
      timer = setTimeout(go, 0);
    } else if (run) look();
  };
}
