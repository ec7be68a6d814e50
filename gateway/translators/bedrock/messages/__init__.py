"""The Messages API to Claude on Bedrock, past the hub.

The client's own body goes on, without what Bedrock does not take of it; answers come
back as they are told there.
"""
