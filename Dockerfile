FROM node:22-slim AS web

WORKDIR /src/web
COPY web/package.json web/package-lock.json web/.npmrc ./
RUN npm ci --omit=dev


FROM python:3.13-slim AS build

WORKDIR /src
RUN python -m venv /opt/gammabell
COPY constraints.txt pyproject.toml LICENSE README.md ./
COPY bot bot
COPY migrations migrations
COPY web/vendor.py web/
COPY --from=web /src/web/node_modules web/node_modules
RUN python web/vendor.py
RUN /opt/gammabell/bin/pip install --no-cache-dir -c constraints.txt .

# The font cache, so that the first chart does not pay for it.
ENV MPLCONFIGDIR=/opt/gammabell/matplotlib
RUN /opt/gammabell/bin/python -c "import matplotlib.font_manager"


FROM python:3.13-slim

RUN useradd --system --uid 10001 --no-create-home gammabell \
    && install -d -o gammabell -g gammabell /data
COPY --from=build /opt/gammabell /opt/gammabell

ENV PATH=/opt/gammabell/bin:$PATH \
    MPLCONFIGDIR=/opt/gammabell/matplotlib \
    PYTHONUNBUFFERED=1 \
    GAMMABELL_STORE__URL=sqlite+aiosqlite:////data/gammabell.db

# No HEALTHCHECK: `gammabell check` asks every venue, and a venue's outage must not restart the bell.
# A bug ends the process, and the restart policy brings it back.
USER gammabell
WORKDIR /data
VOLUME /data
ENTRYPOINT ["gammabell"]
CMD ["run"]
