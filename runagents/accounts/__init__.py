"""First run, logging in, passwords."""
