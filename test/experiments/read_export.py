"""Reads every file of an exported set as its users do, and prints what it found as JSON."""

import csv
import hashlib
import importlib.util
import json
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import torch


def described(array):
    digest = hashlib.sha256(array.tobytes()).hexdigest()  # in C order, whatever the strides
    return {"dtype": str(array.dtype), "shape": list(array.shape), "sha256": digest}


def safetensors(path):
    """github.com/huggingface/safetensors: header length, JSON header, data."""
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    metadata = header.pop("__metadata__")
    types = {"F32": "<f4", "I64": "<i8"}
    arrays = {}
    for name, entry in header.items():
        begin, end = (8 + length + at for at in entry["data_offsets"])
        arrays[name] = np.frombuffer(data[begin:end], types[entry["dtype"]]).reshape(entry["shape"])
    return arrays, json.loads(metadata["card"])


def png(path):
    """W3C PNG, 8 bits, gray or RGB, not interlaced."""
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, body = 8, b""
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        kind, content = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        if kind == b"IHDR":
            width, height, depth, color, _, _, interlaced = struct.unpack(">IIBBBBB", content)
            assert depth == 8 and color in (0, 2) and not interlaced
            channels = {0: 1, 2: 3}[color]
        if kind == b"IDAT":
            body += content
        at += 12 + length
    lines = np.frombuffer(zlib.decompress(body), np.uint8).reshape(height, 1 + width * channels)
    image = np.zeros((height, width * channels), np.int64)
    for y, (kind, *line) in enumerate(lines.tolist()):
        for x, value in enumerate(line):
            left = image[y, x - channels] if x >= channels else 0
            above = image[y - 1, x] if y else 0
            corner = image[y - 1, x - channels] if y and x >= channels else 0
            distances = [abs(above - corner), abs(left - corner), abs(left + above - 2 * corner)]
            paeth = (left, above, corner)[int(np.argmin(distances))]
            image[y, x] = (value + (0, left, above, (left + above) // 2, paeth)[kind]) % 256
    return image.reshape(height, width, channels).astype(np.uint8)


def folder_labels(root):
    """Files and labels as torchvision's ImageFolder numbers them: classes in order of their folders' names."""
    classes = sorted(entry.name for entry in root.iterdir() if entry.is_dir())
    return [(f"{name}/{file.name}", label) for label, name in enumerate(classes) for file in sorted((root / name).iterdir())]


folder = Path(sys.argv[1])
arrays, card = safetensors(folder / "data.safetensors")
with np.load(folder / "data.npz", allow_pickle=False) as file:
    npz = {name: file[name] for name in file.files}
train = folder / "png" / "train"
with open(train / "metadata.csv", encoding="utf-8", newline="") as file:
    rows = list(csv.DictReader(file))

spec = importlib.util.spec_from_file_location("load", folder / "load.py")
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
loaded, loaded_card = module.load()

module.to_pt()
pt = {}
for path in sorted((folder / "pt").rglob("*.pt")):
    content = torch.load(path)
    name = str(path.relative_to(folder / "pt"))
    if isinstance(content, dict):
        (pair,) = content["data"]
        pt[name] = {"data": [described(part.numpy()) for part in pair], "accs_all_exps": content["accs_all_exps"]}
    else:
        pt[name] = {**described(content.numpy()), "values": content.flatten()[:4].tolist()}

print(
    json.dumps(
        {
            "safetensors": {name: described(array) for name, array in arrays.items()},
            "npz": {name: described(array) for name, array in npz.items()},
            "load": {name: described(array) for name, array in loaded.items()},
            "cards": card == loaded_card == json.loads((folder / "card.json").read_text(encoding="utf-8")),
            "rows": [[row["file_name"], int(row["label"]), row["class_name"]] for row in rows],
            "png": [described(png(train / row["file_name"])) for row in rows],
            "folder": folder_labels(train),
            "pt": pt,
            "in_space": float(np.abs(module.in_space(loaded["images_pixel"], loaded, loaded_card) - loaded["images"]).max()),
            "decoded": float(np.abs(module.decode(loaded["mosaics"], loaded_card["partition"]) - loaded["images"]).max())
            if "mosaics" in loaded
            else None,
        }
    )
)
