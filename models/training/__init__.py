"""How the shipped model is made: data, network, training, export. Needs the `[train]` extra; nothing serves from it."""
