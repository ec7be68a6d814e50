"""Limits and breakers of very many hosts: their own code, on a clock that leaps.

What is simulated is time, the network and Redis; `SharedLimiter`, `HostLimiter` and
`Gates` are what runs in production.
"""
