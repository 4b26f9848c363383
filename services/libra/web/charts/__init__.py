"""Pictures as SVG, made on the server by pure functions. Colours and fonts come from the style sheet, by class."""
