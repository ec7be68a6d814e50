"""The console's pages about calls: Requests, Usage and the Playground."""
