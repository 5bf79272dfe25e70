// What the theme leaves to do, for keyboards and screen readers, and the switch of frameworks.
const name = (selector, text) => document.querySelectorAll(selector).forEach((element) => element.setAttribute("aria-label", text(element)));
// what scrolls sideways can be reached; the theme does it for code, but not for what was folded
const reach = () => {
  for (const box of document.querySelectorAll(".pst-scrollable-table-container, .formula, .bd-article details:not(.fold)"))
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
};
// Show a framework's blocks, on this and on later pages, and keep the text that is read where it is.
const choose = (framework) => {
  const read = [...document.querySelectorAll(".bd-article :is(p, pre, h2, h3, figure)")].find(
    (element) => !element.closest(".framework") && element.getBoundingClientRect().top > 60);
  const place = read?.getBoundingClientRect().top;
  document.documentElement.dataset.framework = framework;
  if (read) scrollBy(0, read.getBoundingClientRect().top - place);
  try {
    localStorage.framework = framework;
  } catch {} // a reader who allows no storage chooses anew on each page
};
addEventListener("load", () => {
  reach();
  name(".bd-links summary", (summary) => `Pages below ${summary.closest("li").querySelector("a").textContent}`);
  name(".bd-sidebar-primary", () => "The book");
  document.querySelector(".bd-sidebar-primary").setAttribute("role", "complementary");
});
addEventListener("DOMContentLoaded", () => {
  for (const button of document.querySelectorAll(".framework-switch input")) {
    button.checked = button.value === document.documentElement.dataset.framework;
    button.addEventListener("change", () => choose(button.value));
  }
});
addEventListener("toggle", reach, true);
addEventListener("resize", reach);
// Paper is light.
let theme;
addEventListener("beforeprint", () => {
  theme = document.documentElement.dataset.theme;
  document.documentElement.dataset.theme = "light";
});
addEventListener("afterprint", () => (document.documentElement.dataset.theme = theme));
