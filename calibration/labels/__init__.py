"""Files of labels, ours and those of labelling tools, read into rows and written from them."""
