"""Loads this distilled data set with NumPy alone.

    from load import in_space, load
    arrays, card = load()  # arrays["images"] is [n, channels, height, width] in the space it was trained in
    test = in_space(pixels, arrays, card)  # test images must be brought there, too

`python load.py --to-pt` also writes it, by PyTorch, in the files that other distillation code reads:

    pt/MTT/images_best.pt, labels_best.pt   MTT, FTD, TESLA, DC-BENCH: as trained on, int64; lr_best.pt if learned
    pt/DATM/…                               DATM: the same images, soft labels as logits (log probabilities), lr_best.pt
    pt/res_METHOD_DATASET_ConvNet_Nipc.pt   DC, DSA, DM: {'data': [[images, labels]], 'accs_all_exps': …}
    pt/IDM/res_METHOD_DATASET_ConvNet_….pt  the same for IDM, with mosaics of 2 × 2 images, which it decodes itself
"""

import json
import sys
from pathlib import Path

import numpy as np

here = Path(__file__).resolve().parent


def load(folder=here):
    """The arrays by name, and what card.json says of them."""
    card = json.loads((Path(folder) / "card.json").read_text(encoding="utf-8"))
    with np.load(Path(folder) / "data.npz", allow_pickle=False) as file:
        return {name: file[name] for name in file.files}, card


def in_space(pixels, arrays, card):
    """Real images, [n, channels, height, width] with black 0 and white 1, as `images` are: normalized, and whitened where they are."""
    shape = (1, -1, 1, 1)
    images = (pixels - np.reshape(card["mean"], shape)) / np.reshape(card["std"], shape)
    if "zca_matrix" in arrays:
        rows = images.reshape(len(images), -1) - arrays["zca_mean"]
        images = (rows @ arrays["zca_matrix"]).reshape(images.shape)
    return images.astype(np.float32)


def decode(mosaics, partition):
    """What mosaics hold: `images` are decode(arrays["mosaics"], card["partition"]), there already and trained on as they are."""
    factor = partition["factor"]
    n, channels, height, width = mosaics.shape
    cells = mosaics.reshape(n, channels, factor, height // factor, factor, width // factor)
    cells = cells.transpose((0, 4, 2, 1, 3, 5) if partition["order"] == "columns" else (0, 2, 4, 1, 3, 5))
    cells = cells.reshape(-1, channels, height // factor, width // factor)
    for axis in (2, 3):  # as torch.nn.functional.interpolate, bilinear with align_corners=False
        side = cells.shape[axis]
        at = np.clip((np.arange(side * factor) + 0.5) / factor - 0.5, 0, side - 1)
        first = at.astype(int)
        second = np.minimum(first + 1, side - 1)
        share = (at - first).astype(cells.dtype).reshape((-1, 1) if axis == 2 else -1)
        cells = np.take(cells, first, axis) * (1 - share) + np.take(cells, second, axis) * share
    return cells


def to_pt(folder=here):
    import torch

    arrays, card = load(folder)
    images, labels = torch.from_numpy(arrays["images"]), torch.from_numpy(arrays["labels"])
    files = {"MTT/images_best.pt": images, "MTT/labels_best.pt": labels}
    if "lr" in arrays:
        files["MTT/lr_best.pt"] = torch.tensor(float(arrays["lr"][0]))
    if "soft_labels" in arrays:  # DATM takes their softmax
        logits = torch.from_numpy(arrays["soft_labels"]).clamp_min(1e-12).log()
        rate = float(arrays["lr"][0]) if "lr" in arrays else card["evaluation"]["learningRate"]
        files["DATM/images_best.pt"] = images
        files["DATM/labels_best.pt"] = logits
        files["DATM/lr_best.pt"] = torch.tensor(rate)
    protocol = card["evaluation"]["protocol"]
    accuracies = {one["network"]: one["accuracies"] for one in card["expected"] if one["protocol"] == protocol}
    dataset, count = card["dataset"]["name"].upper(), len(labels) // len(card["classNames"])
    name = f"res_{card['method'].upper()}_{dataset}_ConvNet_{count}ipc.pt"
    files[name] = {"data": [[images, labels]], "accs_all_exps": accuracies}
    if "mosaics" in arrays and card["partition"]["factor"] == 2:
        mosaics = torch.from_numpy(arrays["mosaics"])
        idm = f"IDM/res_{card['method'].upper()}_{dataset}_ConvNet_{count // 4}ipc.pt"
        files[idm] = {"data": [[mosaics, labels[::4]]], "accs_all_exps": accuracies}
    for name, content in files.items():
        path = Path(folder) / "pt" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.save(content, path)
        print(path)
    print(f"Images are {card['space']}: compare with how the other code prepares its test images (README.md).")


if __name__ == "__main__":
    if sys.argv[1:] == ["--to-pt"]:
        to_pt()
    elif sys.argv[1:]:
        sys.exit("usage: python load.py [--to-pt]")
    else:
        arrays, _ = load()
        for name, array in sorted(arrays.items()):
            print(f"{name:14} {array.dtype} {array.shape}")
