"""`django.contrib.admin` with the site of core.admin_site, which needs models and so cannot be imported here."""

from django.contrib.admin.apps import AdminConfig


class Config(AdminConfig):
    default_site = "core.admin_site.Site"
