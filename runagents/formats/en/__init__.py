"""As the console writes them; https://docs.djangoproject.com/en/5.2/topics/i18n/formatting/."""
