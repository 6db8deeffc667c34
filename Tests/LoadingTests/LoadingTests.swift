// Loading tests
