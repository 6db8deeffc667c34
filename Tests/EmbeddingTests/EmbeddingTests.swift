// Embedding tests
