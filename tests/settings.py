"""The project's settings, with data of their own and cheap password hashes."""

import os
import tempfile

os.environ.setdefault("RUNAGENTS_DATA_DIR", tempfile.mkdtemp(prefix="runagents-tests-"))

from runagents.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
# WhiteNoise warns of a folder that is missing.
STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # noqa: F405
# Tests let providers fail again and again.
UNAVAILABLE_AFTER = 0
# Tests count what a busy provider is asked; those of waiting for it switch it on.
RETRY_PATIENCE = 0
# A thread that writes would wait for a test's transaction; tests of it switch it on.
RESPONSES_MEMORY_DAYS = 0
