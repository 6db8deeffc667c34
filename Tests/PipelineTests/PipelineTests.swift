// Pipeline tests
