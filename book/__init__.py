"""The series as a site: `pages` writes Markdown from the committed notebooks, Sphinx makes the site from it."""
