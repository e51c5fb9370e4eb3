# An image with everything installed; the repository itself is mounted, so that git and DVC work on yours.
#   docker build -t amsf .                                  # CPU
#   docker build -t amsf --build-arg TORCH=cu126 .          # CUDA 12.6; run it with --gpus all
#   docker run --rm -it -u "$(id -u):$(id -g)" -v "$PWD:/work" amsf dvc repro
FROM python:3.11-slim

# cpu, or one of PyTorch's builds for CUDA.
ARG TORCH=cpu

RUN apt-get update && apt-get install -y --no-install-recommends git && rm -rf /var/lib/apt/lists/* \
    && git config --system --add safe.directory /work

WORKDIR /opt/amsf
COPY requirements.txt ./
RUN pip install --no-cache-dir "$(grep '^torch==' requirements.txt)" --index-url "https://download.pytorch.org/whl/$TORCH" \
    && pip install --no-cache-dir -r requirements.txt

COPY pyproject.toml README.md LICENSE ./
COPY amsf amsf
RUN pip install --no-cache-dir --no-deps .

# Whoever runs it: caches of libraries need a home that can be written.
ENV HOME=/tmp
WORKDIR /work
CMD ["amsf", "--help"]
