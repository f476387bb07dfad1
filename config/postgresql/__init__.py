"""Django's PostgreSQL backend, which asks a kept connection whether it lives only where there is a sign against it."""
