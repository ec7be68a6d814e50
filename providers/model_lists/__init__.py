"""Model lists kept true: what providers offer is compared with what is registered.

A check of a provider brings its list; once a day it is kept (`looking`), `differences`
says what has changed, and a person decides (`decisions`). Nothing changes by itself.
"""
