"""Loads this distilled data set with NumPy alone.

    from load import load
    arrays, card = load()  # arrays["images"] is [n, channels, height, width] in the space it was trained in

`python load.py --to-pt` also writes it, by PyTorch, in the files that other distillation code reads:

    pt/MTT/images_best.pt, labels_best.pt   MTT, FTD, TESLA, DC-BENCH: as trained on, int64; lr_best.pt if learned
    pt/DATM/…                               DATM: the same images, soft labels as logits (log probabilities), lr_best.pt
    pt/res_METHOD_DATASET_ConvNet_Nipc.pt   DC, DSA, DM, IDM: {'data': [[images, labels]], 'accs_all_exps': …}
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
