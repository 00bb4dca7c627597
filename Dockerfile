# Made by `relet mlproject nyc_rentals` from the signatures and the lock: change those.
# Python and the packages of requirements.lock, each file checked against its hash. Mount the project into it.
# Shell lines that tell pip and uv their indexes:    docker build --secret id=indexes,src=FILE
# The certificates by which the indexes are trusted: docker build --secret id=cert,src=FILE
FROM python:3.11.7-slim
# lightgbm needs OpenMP; git tells the commit that a run records.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends git libgomp1 \
 && rm -rf /var/lib/apt/lists/*
COPY requirements.lock /opt/relet/requirements.lock
# The lock's own uv installs the rest; where it has none, pip does.
RUN --mount=type=secret,id=indexes --mount=type=secret,id=cert \
    set -eu; cd /opt/relet; \
    export PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore PIP_DISABLE_PIP_VERSION_CHECK=1 UV_NO_CACHE=1; \
    if [ -e /run/secrets/indexes ]; then . /run/secrets/indexes; fi; \
    if [ -e /run/secrets/cert ]; then export SSL_CERT_FILE=/run/secrets/cert PIP_CERT=/run/secrets/cert; fi; \
    awk '/^[a-z0-9]/ { wanted = /^uv==/ } wanted' requirements.lock >uv.txt; \
    if [ -s uv.txt ]; then \
      python -m pip install --quiet --no-deps --require-hashes -r uv.txt; \
      uv pip sync --quiet --system --require-hashes --compile-bytecode requirements.lock; \
    else \
      python -m pip install --quiet --no-deps --require-hashes -r requirements.lock; \
    fi; \
    rm uv.txt
