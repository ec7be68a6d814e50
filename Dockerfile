# syntax=docker/dockerfile:1
# Gateway and console in one image. Its packages are those of requirements.lock, byte for
# byte; it runs as nobody in particular and writes to /data alone.
ARG PYTHON=3.11-slim-trixie

FROM python:${PYTHON} AS build
WORKDIR /src
COPY requirements.lock requirements-build.lock ./
RUN --mount=type=cache,target=/root/.cache/pip \
    python -m venv /opt/runagents \
    && /opt/runagents/bin/python -m pip install --require-hashes -r requirements.lock
RUN --mount=type=cache,target=/root/.cache/pip \
    python -m venv /opt/build \
    && /opt/build/bin/python -m pip install --no-compile --require-hashes -r requirements-build.lock
COPY . .
RUN /opt/build/bin/python -m pip wheel --no-deps --no-build-isolation --wheel-dir /opt/wheel . \
    && /opt/runagents/bin/python -m pip install --no-deps /opt/wheel/*.whl \
    && /opt/build/bin/cyclonedx-py requirements --pyproject pyproject.toml \
        --output-file /opt/runagents/sbom.cdx.json requirements.lock
RUN install -d -m 700 /data

FROM python:${PYTHON}
LABEL org.opencontainers.image.title="RunAgents Model Providers" \
      org.opencontainers.image.description="One console for model providers, one URL for every agent to call them." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.runagents.sbom="/opt/runagents/sbom.cdx.json"
COPY --from=build /opt/runagents /opt/runagents
COPY --from=build --chown=10001:10001 /data /data
ENV PATH=/opt/runagents/bin:/usr/local/bin:/usr/bin:/bin \
    RUNAGENTS_HOST=0.0.0.0 \
    RUNAGENTS_DATA_DIR=/data \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 10001:10001
VOLUME ["/data"]
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
ENTRYPOINT ["runagents"]
CMD ["serve"]
