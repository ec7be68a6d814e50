"""Where the console's pages are; the gateway's own routes are in gateway/urls.py."""

from django.contrib import admin
from django.urls import path
from django.urls.resolvers import URLPattern, URLResolver

urlpatterns: list[URLPattern | URLResolver] = [path("admin/", admin.site.urls)]
