// Filtering tests
