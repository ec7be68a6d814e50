"""The console's Models pages."""
