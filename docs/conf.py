"""How Sphinx builds the documentation: `make docs`; a dead link is an error."""

project = "Tidegate"
author = "The Tidegate team"
extensions = ["myst_parser"]
myst_heading_anchors = 4
html_theme = "furo"
html_title = "Tidegate"
html_show_sphinx = False
html_show_copyright = False
