# Images of tfgan_suite, on the set of packages of today (requirements-current.txt).
#   docker build -t tfgan_suite .                           docker run -v "$PWD:/work" tfgan_suite tfgan-train digits
#   docker build -t tfgan_suite:gpu --target gpu .          docker run --gpus all -v "$PWD:/work" tfgan_suite:gpu tfgan-train face48
FROM python:3.12-slim AS base
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_RETRIES=10 PIP_DEFAULT_TIMEOUT=60
WORKDIR /opt/tfgan_suite
COPY requirements-current.txt ./
RUN pip install -r requirements-current.txt

# TensorFlow with the CUDA libraries; the host needs NVIDIA's driver and container toolkit only.
FROM base AS gpu
RUN pip install "tensorflow[and-cuda]==$(pip show tensorflow | sed -n 's/^Version: //p')"
COPY . .
RUN pip install --no-deps .
WORKDIR /work

FROM base AS cpu
COPY . .
RUN pip install --no-deps .
WORKDIR /work
