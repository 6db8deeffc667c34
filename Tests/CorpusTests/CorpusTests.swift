// Corpus tests
