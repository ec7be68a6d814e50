"""What the gateway promises of its reliability, and the tests that prove it."""
