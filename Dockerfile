# The engine alone: no torch, no training, no embedded servers. Runs `sekisho` as a user without rights.
FROM python:3.11-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/sekisho
WORKDIR /src
COPY pyproject.toml constraints.txt README.md ./
COPY streams ./streams
RUN /opt/sekisho/bin/pip install --constraint constraints.txt . \
    && /opt/sekisho/bin/python -m compileall -q /opt/sekisho

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --no-create-home --home-dir /nonexistent sekisho \
    && install --directory --owner=sekisho /var/lib/sekisho
COPY --from=build /opt/sekisho /opt/sekisho
COPY rules /etc/sekisho/rules
ENV PATH=/opt/sekisho/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    SEKISHO_RULES_DIR=/etc/sekisho/rules \
    SEKISHO_DATA_DIR=/var/lib/sekisho \
    SEKISHO_WEB_BIND=0.0.0.0
USER sekisho
WORKDIR /var/lib/sekisho
EXPOSE 6066
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["python", "-m", "streams.probe"]
ENTRYPOINT ["sekisho"]
CMD ["worker"]
