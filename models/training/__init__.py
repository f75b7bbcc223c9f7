"""How the shipped model is made: data, network, training, export; needs the `[train]` extra, and nothing serves from it."""
