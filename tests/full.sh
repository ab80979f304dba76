#!/bin/sh
# full.sh: full.py, by a Python that has PyTorch; where none has, it says so and
# passes.  PYTHON names the first to try.
cd "$(dirname "$0")/.." || exit 2
for python in "${PYTHON:-python3}" /usr/bin/python3; do
    if "$python" -c 'import numpy, torch' 2>/dev/null; then
        exec "$python" tests/full.py
    fi
done
echo "full.sh: skipped, no Python here has PyTorch"
