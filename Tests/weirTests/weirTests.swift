// weir tests
