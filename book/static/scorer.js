// How the search orders what it finds: lessons first, in their order. The other numbers are Sphinx's own.
var Scorer = {
  score: ([page, , , , score]) => score + (page.startsWith("steps/") ? 1000 - parseInt(page.slice(6)) : 0),
  objNameMatch: 11, objPartialMatch: 6, objPrio: { 0: 15, 1: 5, 2: -5 }, objPrioDefault: 0,
  title: 15, partialTitle: 7, term: 5, partialTerm: 2,
};
