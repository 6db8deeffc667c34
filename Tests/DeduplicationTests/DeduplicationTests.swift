// Deduplication tests
