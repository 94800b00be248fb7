"""The staff console: Django's admin, with what staff decide done by the services that the API has."""
