# syntax=docker/dockerfile:1
# swapae in a container, for the CPU or for CUDA. NOT BUILT OR RUN YET by the project: a linter alone has read it
# (tests/shipping/test_docker.py). docs/docker.md has the commands.
#
#   docker build -t swapae:cpu .                              torch for the CPU, about 1 GB
#   docker build -t swapae:cuda --build-arg TORCH=cuda .      torch with CUDA's libraries, about 6 GB

ARG PYTHON=3.12.7-slim-bookworm

# ── the wheel, with compiled kernels: the compiler stays here ────────────────────────────────────
FROM python:${PYTHON} AS wheel
# No versions: the release of Debian is pinned by the base, and within it only mends of security come.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends g++ \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY pyproject.toml hatch_build.py README.md LICENSE ./
COPY src ./src
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

# ── the environment ──────────────────────────────────────────────────────────────────────────────
FROM python:${PYTHON} AS environment
ARG TORCH=cpu
ARG EXTRAS=web,onnx
RUN python -m venv /opt/swapae
ENV PATH=/opt/swapae/bin:$PATH
# torch first, from the index of its kind: the one of CUDA is what PyPI has.
RUN case "${TORCH}" in \
        cpu) pip install --no-cache-dir "torch>=2.6" "torchvision>=0.21" --index-url https://download.pytorch.org/whl/cpu ;; \
        cuda) pip install --no-cache-dir "torch>=2.6" "torchvision>=0.21" ;; \
        *) echo "TORCH is cpu or cuda, not ${TORCH}" >&2; exit 1 ;; \
    esac
COPY --from=wheel /wheels /wheels
RUN pip install --no-cache-dir "$(echo /wheels/swapae-*.whl)[${EXTRAS}]"

# ── what runs: no compiler, no pip cache, nobody's rights ────────────────────────────────────────
FROM python:${PYTHON}
LABEL org.opencontainers.image.title="swapae" \
      org.opencontainers.image.description="Swapping Autoencoder: give one photograph the texture of another" \
      org.opencontainers.image.licenses="Apache-2.0 AND BSD-2-Clause AND MIT"
COPY --from=environment /opt/swapae /opt/swapae
ENV PATH=/opt/swapae/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    HOME=/home/swapae
RUN useradd --create-home --uid 10001 swapae \
    && install --directory --owner=swapae /work
USER 10001
WORKDIR /work
EXPOSE 7860
# Of the studio; with another command, as for a training: docker run --no-healthcheck.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:7860/livez', timeout=4)"]
# All addresses, for the container's own cannot be reached from outside; so the studio makes a token and prints the
# link with it, unless the command gives one (--token).
ENTRYPOINT ["swapae"]
CMD ["studio", "--host", "0.0.0.0", "--port", "7860", "--no-browser"]
