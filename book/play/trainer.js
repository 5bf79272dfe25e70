// Skip-gram with negative sampling, as in steps 1 to 6, number by number and without a library. All is one function: a
// page that was opened as a file may start a worker only from source that it has. Id 0 is "no word here", as in step 1.
function wordTrainer(post) {
  const FEWEST_WORDS = 100, MOST_WORDS = 32767, MIN_FREQ = 5, HELD_OUT_SHARE = 0.05; // of a text of the reader's
  const CENTERS_AT_ONCE = 8192, HELD_OUT_SEED = 7, PAIRS_SEED = 3, NUM_PAIRS = 1000, NUM_SHOWN = 48, NUM_NEIGHBORS = 8;
  let run = null, asked = "", goal = 0, timer = 0; // the worker's: model, word, last pass, what comes next

  /** mulberry32: a function that returns numbers from 0 to 1, the same ones for the same seed. */
  function generator(seed) {
    return () => {
      seed = (seed + 0x6d2b79f5) | 0;
      let mixed = Math.imul(seed ^ (seed >>> 15), seed | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
    };
  }

  // The text --------------------------------------------------------------------------------------------------------

  /** The corpus that book/play_text.py wrote: a letter for each id; a 0 stands before and after each article. */
  function bookCorpus({ words, train, heldOut }, shown) {
    const idsOf = (letters) => Uint16Array.from(letters, (letter) => letter.charCodeAt(0) - 32);
    return counted(["", ...words.split(" ")], idsOf(train), idsOf(heldOut), shown, false);
  }

  /** The corpus of a reader's text: words are runs of letters, a 0 begins a paragraph. An Error says what it lacks. */
  function ownCorpus(text) {
    if (/[\0\ufffd]/.test(text)) throw new Error("This is not plain text in UTF-8. Save it as such, and try again.");
    const paragraphs = text.normalize("NFC").toLowerCase().split(/\n\s*\n/);
    const tokens = paragraphs.flatMap((paragraph) => ["", ...(paragraph.match(/\p{L}[\p{L}\p{M}]*/gu) || [])]);
    const end = Math.round(tokens.length * (1 - HELD_OUT_SHARE)), frequency = new Map();
    for (const token of tokens.slice(0, end)) frequency.set(token, (frequency.get(token) || 0) + 1);
    const frequent = [...frequency.keys()].filter((token) => token && frequency.get(token) >= MIN_FREQ);
    if (frequent.length < FEWEST_WORDS)
      throw new Error(`This text is too short: of ${tokens.filter(Boolean).length} words ${frequent.length} ` +
        `different ones occur ${MIN_FREQ} times or more; ${FEWEST_WORDS} are needed. Try a book, or several articles.`);
    frequent.sort((one, other) => frequency.get(other) - frequency.get(one));
    const words = ["", ...frequent.slice(0, MOST_WORDS)], idOf = new Map(words.map((word, id) => [word, id]));
    const encode = (part) => Uint16Array.from(part.map((token) => idOf.get(token)).filter((id) => id !== undefined));
    const shown = [...new Set([...words.filter((word) => word.length > 4), ...words.slice(1)])].slice(0, NUM_SHOWN);
    return counted(words, encode(tokens.slice(0, end)), encode(tokens.slice(end)), shown, true);
  }

  /** Add what step 1 makes of the counts: each word's chance to survive subsampling, and to be a noise word. */
  function counted(words, train, heldOut, shown, isOwn) {
    const counts = new Float64Array(words.length);
    for (const id of train) if (id) counts[id]++;
    const numTokens = counts.reduce((sum, count) => sum + count);
    const keep = counts.map((count) => Math.min(1, Math.sqrt((1e-4 * numTokens) / Math.max(count, 1))));
    return { words, train, heldOut, shown, isOwn, counts, keep, noise: noiseBoxes(counts) };
  }

  /**
   * Words in proportion to their counts to the power 3/4, in boxes of equal size: box i holds word i up to its border,
   * and one other word above. So a draw needs no search. Source: Walker 1977, https://doi.org/10.1145/355744.355749.
   */
  function noiseBoxes(counts) {
    const weights = counts.map((count) => count ** 0.75), total = weights.reduce((sum, weight) => sum + weight);
    const border = weights.map((weight) => (weight / total) * counts.length), other = new Uint16Array(counts.length);
    const low = [], high = [];
    border.forEach((height, word) => (height < 1 ? low : high).push(word));
    while (low.length && high.length) {
      const word = low.pop(), giver = high.at(-1);
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

  /** A model before training, both tables as step 2 draws them, and what is measured: `training` and `passes`. */
  function newRun(corpus, { seed, size, lr, window, numNoiseWords }) {
    const random = generator(seed), numWords = corpus.words.length, bound = Math.sqrt(6 / (numWords + size));
    const table = () => Float32Array.from({ length: numWords * size }, () => (2 * random() - 1) * bound);
    const fresh = {
      corpus, size, lr, window, numNoiseWords, random, embedV: table(), embedU: table(), step: new Float64Array(size),
      contextOf: new Uint32Array(numWords), centers: 0, pass: 0, place: 0, training: [], diverged: false,
    };
    fresh.passes = [{ heldOut: heldOutLoss(fresh), random: randomCosine(fresh) }];
    return fresh;
  }

  /** Ask whether `word` stands near `center`; returns the loss. `word`'s row moves, `step` gets the center's part. */
  function ask({ embedV, embedU, size, step }, center, word, label, rate) {
    const v = center * size, u = word * size;
    let score = 0;
    for (let d = 0; d < size; d++) score += embedV[v + d] * embedU[u + d];
    const small = Math.exp(-Math.abs(score)), probability = (score < 0 ? small : 1) / (1 + small);
    const change = rate * (label - probability); // minus rate times derivative of the loss by the score (step 4)
    for (let d = 0; d < size; d++) {
      step[d] += change * embedU[u + d];
      embedU[u + d] += change * embedV[v + d];
    }
    return Math.log(1 + small) + Math.max(label ? -score : score, 0);
  }

  /** Train on the centers at these places; returns the mean loss of their questions. A rate of 0 moves no row. */
  function trainCenters(run, ids, places, rate, random) {
    const { embedV, size, step, numNoiseWords, contextOf, corpus: { noise } } = run;
    let loss = 0, questions = 0;
    for (const at of places) {
      const center = ids[at], number = ++run.centers, reach = 1 + Math.floor(random() * run.window), contexts = [];
      for (let other = at - 1; other >= at - reach && ids[other]; other--) contexts.push(ids[other]);
      for (let other = at + 1; other <= at + reach && ids[other]; other++) contexts.push(ids[other]);
      for (const context of contexts) contextOf[context] = number; // none of these may be a noise word of this center
      for (const context of contexts) {
        step.fill(0);
        loss += ask(run, center, context, 1, rate);
        for (let k = 0; k < numNoiseWords; k++) {
          let word = context;
          while (contextOf[word] === number) word = drawNoise(noise, random);
          loss += ask(run, center, word, 0, rate);
        }
        for (let d = 0; d < size; d++) embedV[center * size + d] += step[d];
      }
      questions += contexts.length * (1 + numNoiseWords);
    }
    return loss / questions;
  }

  const centersOf = (ids) => Uint32Array.from(ids.keys()).filter((at) => ids[at]);
  const subsample = (ids, keep, random) => ids.filter((id) => !id || random() < keep[id]); // a 0 ends a window

  /** The loss of the held-out text, with the same windows and noise words each time. */
  function heldOutLoss(run) {
    const random = generator(HELD_OUT_SEED), ids = subsample(run.corpus.heldOut, run.corpus.keep, random);
    return trainCenters(run, ids, centersOf(ids), 0, random);
  }

  /**
   * Subsample the text again, and shuffle its centers. In the text's own order neighboring centers are alike, and a
   * model that has just seen one knows the next: the training loss would lie below the held-out loss from the start.
   */
  function beginPass(run) {
    run.ids = subsample(run.corpus.train, run.corpus.keep, run.random);
    const order = (run.order = centersOf(run.ids));
    for (let last = order.length - 1; last > 0; last--) {
      const other = Math.floor(run.random() * (last + 1));
      [order[last], order[other]] = [order[other], order[last]];
    }
  }

  /** Train on as many centers as take a moment, equally many each time; the last ones of a pass end it. */
  function trainSome(run) {
    if (!run.place) beginPass(run);
    const { ids, order, place, training } = run, parts = Math.ceil(order.length / CENTERS_AT_ONCE);
    const end = Math.min(place + Math.ceil(order.length / parts), order.length);
    const loss = trainCenters(run, ids, order.subarray(place, end), run.lr, run.random);
    run.diverged = !(loss < 2 * Math.LN2); // twice that of an untrained model, or no number
    run.place = end % order.length;
    training.push([run.pass + end / order.length, loss]);
    if (run.place) return;
    run.pass++;
    const mean = training.slice(-parts).reduce((sum, [, partLoss]) => sum + partLoss / parts, 0);
    run.passes.push({ training: mean, heldOut: heldOutLoss(run), random: randomCosine(run) });
  }

  // A look at the vectors -------------------------------------------------------------------------------------------

  const rowOf = (run, id) => run.embedV.subarray(id * run.size, (id + 1) * run.size);
  const unit = (row, length = Math.sqrt(dot(row, row)) || 1) => Array.from(row, (x) => x / length);
  const cosine = (one, other) => dot(one, other) / (Math.sqrt(dot(one, one) * dot(other, other)) || 1);

  function dot(one, other) {
    let sum = 0;
    for (let d = 0; d < one.length; d++) sum += one[d] * other[d];
    return sum;
  }

  /** The other words as [word, count, cosine with `word`], largest cosine first; null if it has no vector. */
  function nearest(run, word) {
    const { words, counts } = run.corpus, id = words.indexOf(word);
    if (id < 1) return null;
    const found = words.map((other, at) => [other, counts[at], cosine(rowOf(run, id), rowOf(run, at))]);
    return found.filter((_, at) => at && at !== id).sort((one, other) => other[2] - one[2]);
  }

  /** The mean cosine of pairs of words that were drawn at random (step 6), the same pairs each time. */
  function randomCosine(run) {
    const random = generator(PAIRS_SEED), numWords = run.corpus.words.length - 1;
    const draw = () => rowOf(run, 1 + Math.floor(random() * numWords));
    let sum = 0;
    for (let pair = 0; pair < NUM_PAIRS; pair++) sum += cosine(draw(), draw());
    return sum / NUM_PAIRS;
  }

  /** Place words by the two directions in which their unit rows differ most (PCA); `kept` is these two's share. */
  function placeOnMap(run, words) {
    const rows = words.map((word) => unit(rowOf(run, run.corpus.words.indexOf(word))));
    const mean = rows[0].map((_, d) => rows.reduce((sum, row) => sum + row[d] / rows.length, 0));
    const centered = rows.map((row) => row.map((x, d) => x - mean[d])), axes = [];
    for (const number of [0, 1]) {
      let axis = run.axes ? run.axes[number] : mean.map((_, d) => Math.sin((number + 1) * d + 1));
      for (let round = 0; round < 30; round++) { // power iteration from the last look's axis: the map turns slowly
        const along = centered.map((row) => dot(row, axis));
        const next = mean.map((_, d) => centered.reduce((sum, row, i) => sum + along[i] * row[d], 0));
        axis = unit(next.map((x, d) => x - axes.reduce((sum, earlier) => sum + dot(next, earlier) * earlier[d], 0)));
      }
      axes.push(axis);
    }
    run.axes = axes;
    const places = centered.map((row) => axes.map((axis) => dot(row, axis)));
    const square = (points) => points.reduce((sum, point) => sum + dot(point, point), 0);
    return { places, kept: square(places) / (square(centered) || 1) };
  }

  // The worker ------------------------------------------------------------------------------------------------------

  /** Make a new model, of a new text where one is given. */
  function begin({ text, shown, own, start }) {
    const corpus = text ? bookCorpus(text, shown) : own === undefined ? run.corpus : ownCorpus(own);
    const fresh = newRun(corpus, start);
    if (Number.isNaN(fresh.passes[0].heldOut))
      throw new Error("The last 5 % of this text, which are held out, share too few words with the rest. Try another.");
    if (corpus !== run?.corpus) asked = corpus.shown[0];
    run = fresh;
    goal = 0;
  }

  /** Post all that the page shows, and go on with the training if its goal is not reached. */
  function look() {
    const { pass, place, training, passes, diverged, corpus: { shown, isOwn, words } } = run;
    const isPlaying = pass < goal && !diverged, at = training.length ? training.at(-1)[0] : 0;
    const near = nearest(run, asked)?.slice(0, NUM_NEIGHBORS), toFirst = place ? null : nearest(run, shown[0]);
    post({
      isPlaying, at, pass, training, passes, diverged, shown, isOwn, numWords: words.length - 1, asked, near, toFirst,
      random: randomCosine(run), ...placeOnMap(run, shown),
    });
    if (isPlaying) timer = setTimeout(go);
  }

  function go() {
    trainSome(run);
    look();
  }

  /** {text} or {own} brings a text, {start} makes a model, {goal} says to which pass to train, {asked} names a word. */
  function answer({ data }) {
    clearTimeout(timer);
    try {
      if (data.start) begin(data);
      goal = data.goal ?? goal;
      asked = data.asked ?? asked;
    } catch (error) {
      post({ refused: error.message });
    }
    if (run) look();
  }

  return { bookCorpus, newRun, ask, trainSome, answer };
}
