"""Django's PostgreSQL backend, refusing servers older than those we support."""

from django.db.backends.postgresql import base, features


class DatabaseFeatures(features.DatabaseFeatures):
    minimum_database_version = (15,)


class DatabaseWrapper(base.DatabaseWrapper):
    features_class = DatabaseFeatures
