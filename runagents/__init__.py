"""The project: settings, the console of agents, how it is served."""

__version__ = "0.1.0"
