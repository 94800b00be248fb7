"""The Django project: settings, the HTTP edge that all apps share, and Celery."""
