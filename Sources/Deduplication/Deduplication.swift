// Deduplication
