// What scrolls sideways can be reached with the keyboard, as the theme does it for code.
const reach = () => {
  for (const box of document.querySelectorAll(".pst-scrollable-table-container, .bd-article details:not(.sd-dropdown)"))
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
};
addEventListener("load", reach);
addEventListener("toggle", reach, true);
