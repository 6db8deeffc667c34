// Planning tests
