// Sampling tests
