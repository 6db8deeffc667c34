// Filtering
