"""The offline sandbox: an upstream in OpenAI's format that no model stands behind."""
