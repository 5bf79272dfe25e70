// What the theme leaves to do for keyboards and screen readers.
const name = (selector, text) => document.querySelectorAll(selector).forEach((element) => element.setAttribute("aria-label", text(element)));
// what scrolls sideways can be reached; the theme does it for code, but not for what was folded
const reach = () => {
  for (const box of document.querySelectorAll(".pst-scrollable-table-container, .bd-article details:not(.sd-dropdown), .bd-article pre"))
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
};
addEventListener("load", () => {
  reach();
  name(".bd-links summary", (summary) => `Pages below ${summary.closest("li").querySelector("a").textContent}`);
  name(".bd-sidebar-primary", () => "The book");
  document.querySelector(".bd-sidebar-primary").setAttribute("role", "complementary");
});
addEventListener("toggle", reach, true);
addEventListener("resize", reach);
