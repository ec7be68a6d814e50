#!/usr/bin/env python
"""Django's command line for this project; `serve` is the command to start with."""

from runagents.management.commandline import main

if __name__ == "__main__":
    main()
