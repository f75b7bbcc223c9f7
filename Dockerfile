# Two images from one recipe, the same files in both:
#   docker build --target web    -t heed-web .
#   docker build --target worker -t heed-worker .
# They hold no PostgreSQL: HEED_DATABASE_URL points to yours (16 or newer, with pgvector 0.6 or newer).
#
# Linted, but not yet built by us: our build machine has no container engine. The base is pinned by its tag
# for the same reason (3.11 is the Python that the tests run on); whoever builds for production should pin its digest.

FROM python:3.11-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src

# What serves, then (in an environment that is left behind) what builds: both by hash.
COPY locks/serve.txt locks/build.txt locks/
RUN python -m venv /opt/heed \
 && /opt/heed/bin/pip install --require-hashes -r locks/serve.txt \
 && python -m venv /opt/build \
 && /opt/build/bin/pip install --require-hashes -r locks/build.txt

COPY pyproject.toml README.md LICENSE ./
COPY models models
COPY calibration calibration
COPY service service
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir dist . \
 && /opt/heed/bin/pip install --no-deps --no-index --find-links dist heed


FROM python:3.11-slim AS runtime
LABEL org.opencontainers.image.title="heed" \
      org.opencontainers.image.description="Turns what customers write into the follow-up it deserves, and can prove how often it is right." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="0.1.0"
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /var/lib/heed --shell /usr/sbin/nologin heed \
 && install -d -o heed -g heed -m 0700 /var/lib/heed
COPY --from=build /opt/heed /opt/heed
ENV PATH=/opt/heed/bin:$PATH \
    HEED_HOME=/var/lib/heed \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
# The only place heed writes to: with it and /tmp mounted, the rest may be read-only.
VOLUME /var/lib/heed
WORKDIR /var/lib/heed
USER 10001:10001
STOPSIGNAL SIGTERM
ENTRYPOINT ["heed"]


FROM runtime AS worker
# A dead worker ends its container by itself, and /readyz of the web says when no worker gives a sign of life. `heed
# doctor` is no health check: it also reports what restarting a worker cannot mend, such as a delivery given up.
HEALTHCHECK NONE
CMD ["worker"]


FROM runtime AS web
ENV HEED_HOST=0.0.0.0 \
    HEED_PORT=8000
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ[\"HEED_PORT\"]}/livez', timeout=4)"]
CMD ["serve", "--no-worker"]
