"""Container images from the tree as it is, the chart's generated pages, and everything on a kind cluster."""
