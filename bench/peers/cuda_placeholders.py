"""Lets PyPI's Linux build of PyTorch run on a CPU without its CUDA libraries (some gigabytes).

That build links cuBLAS, cuDNN and others, so it does not load without them, although nothing in them is called on a CPU.
`cuda_placeholders.py FOLDER` writes libraries of their names into FOLDER, in which every function does nothing but return
an error (100, "no CUDA device"); PyTorch then says that CUDA is not available. Start Python with LD_LIBRARY_PATH=FOLDER.
Needs a C compiler and binutils. For benchmarks of the CPU alone.
"""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

CUDA = re.compile(r"lib(cu|nv|nccl)")
SYMBOL = re.compile(r"(cu|nccl|nv|__cuda)\w*$")


def output(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def main(folder):
    libraries = sorted((Path(importlib.util.find_spec("torch").origin).parent / "lib").glob("*.so*"))
    present = {library.name for library in libraries}
    needed, versions, wanted, defined = set(), {}, set(), set()
    for library in libraries:
        needed.update(re.findall(r"NEEDED.*\[(.*)\]", output("readelf", "-Wd", library)))
        for name, entries in re.findall(r"File: (\S+)\s+Cnt: \d+\n((?:.*Name: .*\n)*)", output("readelf", "-WV", library)):
            versions.setdefault(name, set()).update(re.findall(r"Name: (\S+)", entries))
        for line in output("nm", "-D", library).splitlines():
            *_, kind, name = line.split()
            (wanted if kind == "U" else defined).add(name.split("@")[0])
    source = os.path.join(folder, "placeholders.c")
    os.makedirs(folder, exist_ok=True)
    with open(source, "w", encoding="ascii") as file:
        for symbol in sorted(filter(SYMBOL.match, wanted - defined)):
            file.write(f"long {symbol}(void) {{ return 100; }}\n")
    for name in sorted(filter(CUDA.match, needed - present)):
        nodes = sorted(versions.get(name, {name}))
        script = os.path.join(folder, "versions.map")
        with open(script, "w", encoding="ascii") as file:
            file.write(f"{nodes[0]} {{ global: *; }};\n" + "".join(f"{node} {{ }};\n" for node in nodes[1:]))
        target = os.path.join(folder, name)
        options = ["-shared", "-fPIC", "-s", "-w", f"-Wl,-soname,{name}", f"-Wl,--version-script={script}"]
        subprocess.run(["cc", *options, "-o", target, source], check=True)


if __name__ == "__main__":
    main(sys.argv[1])
