"""The corpus of a fuzz target between one file, as the project keeps it, and the folder of files that a fuzzer works on.

usage: corpus.py unpack FILE FOLDER | corpus.py pack FOLDER FILE

In the file each input is a line of hexadecimal digits, in order, so that what was added and what went can be read from a difference.
"""

import hashlib
import pathlib
import sys


def unpack(file: pathlib.Path, folder: pathlib.Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for line in file.read_text().splitlines():
        if line and not line.startswith("#"):
            data = bytes.fromhex(line)
            # As libFuzzer names what it finds.
            (folder / hashlib.sha1(data).hexdigest()).write_bytes(data)


def pack(folder: pathlib.Path, file: pathlib.Path) -> None:
    inputs = sorted({each.read_bytes().hex() for each in folder.iterdir()} - {""})
    head = f"# What fuzzing left of the target {file.stem}: one input to a line, in hexadecimal; written and read by tests/scripts/corpus.py."
    file.write_text("\n".join([head, *inputs]) + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 4 or sys.argv[1] not in ("pack", "unpack"):
        sys.exit(__doc__)
    {"pack": pack, "unpack": unpack}[sys.argv[1]](pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]))
