"""The Hello World agent: the program, and how it is run."""
