"""Pictures of the console: the README's, and every page in every shape to look at."""
