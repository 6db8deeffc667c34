// Clustering tests
