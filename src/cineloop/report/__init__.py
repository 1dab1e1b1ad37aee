"""One toolkit for every page the product writes: HTML, figures, charts, galleries."""
