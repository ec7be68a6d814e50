"""The console's Settings pages."""
