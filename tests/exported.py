"""Small folders as annotation tools and people leave them: pictures of a disc and a bar."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

HEIGHT, WIDTH = 24, 32
NAMES = ("background", "disc", "bar")
COLOURS = np.array([(0, 0, 0), (250, 50, 83), (51, 221, 255)], np.uint8)
SPLITS = {"train": ("a", "b", "c", "d"), "val": ("e", "f")}
ALL = [name for names in SPLITS.values() for name in names]


def picture(name: str) -> tuple[np.ndarray, np.ndarray]:
    """An RGB image (H, W, 3) and its ids (H, W): 0, 1, 2 as in `NAMES`."""
    rng = np.random.default_rng(ord(name))
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    row, column = rng.integers(8, 16), rng.integers(8, 20)
    ids = np.where((rows - row) ** 2 + (columns - column) ** 2 < 30, 1, 0)
    ids[:, column + 6 : column + 9] = 2
    noise = rng.integers(0, 40, (HEIGHT, WIDTH, 3))
    return (COLOURS[ids] * 0.8 + noise).astype(np.uint8), ids.astype(np.uint8)


def save(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def write(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")


def cvat(root: Path) -> None:
    """CVAT's "Segmentation mask 1.1": colour masks, labelmap.txt, lists of splits."""
    for name in ALL:
        image, ids = picture(name)
        save(root / f"JPEGImages/{name}.jpg", image)
        save(root / f"SegmentationClass/{name}.png", COLOURS[ids])
    lines = ["# label:color_rgb:parts:actions"]
    pairs = zip(NAMES, COLOURS.tolist(), strict=True)
    lines += [f"{name}:{','.join(map(str, colour))}::" for name, colour in pairs]
    write(root / "labelmap.txt", "\n".join(lines) + "\n")
    for split, names in SPLITS.items():
        write(root / f"ImageSets/Segmentation/{split}.txt", "\n".join(names) + "\n")


def coco(root: Path) -> None:
    """COCO's folders: train2017, val2017, annotations. Every object is a box or a code."""
    for split, names in SPLITS.items():
        images, annotations = [], []
        for number, name in enumerate(names):
            image, ids = picture(name)
            save(root / f"{split}2017/{name}.jpg", image)
            described = {"id": number, "file_name": f"{name}.jpg", "height": HEIGHT}
            images.append(described | {"width": WIDTH})
            for category in (1, 2):
                runs = _runs(ids == category)
                annotations.append(
                    {
                        "id": len(annotations),
                        "image_id": number,
                        "category_id": 10 * category,
                        "iscrowd": 0,
                        "segmentation": {"size": [HEIGHT, WIDTH], "counts": runs}
                        if category == 1
                        else [_box(ids == category)],
                    }
                )
        categories = [{"id": 10 * id_, "name": NAMES[id_]} for id_ in (1, 2)]
        content = {"images": images, "annotations": annotations, "categories": categories}
        write(root / f"annotations/instances_{split}2017.json", content)


def _runs(mask: np.ndarray) -> list[int]:
    """Lengths of equal pixels down the columns, outside first."""
    ends = np.flatnonzero(np.diff(mask.T.ravel().astype(int))) + 1
    return np.diff([0, *ends, mask.size]).tolist()


def _box(mask: np.ndarray) -> list[int]:
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    return [int(n) for n in (left, top, right, top, right, bottom, left, bottom)]


def nnunet(root: Path) -> None:
    """nnU-Net's raw data: a file for each channel, ids, dataset.json."""
    for name in ALL:
        image, ids = picture(name)
        for channel in range(2):
            save(root / f"imagesTr/case_{name}_{channel:04}.png", image[..., channel])
        save(root / f"labelsTr/case_{name}.png", ids)
    content = {
        "channel_names": {"0": "red", "1": "green"},
        "labels": {name: id_ for id_, name in enumerate(NAMES)},
        "numTraining": len(ALL),
        "file_ending": ".png",
    }
    write(root / "dataset.json", content)


def flat(root: Path) -> None:
    """NAME.png and NAME_mask.png in one folder; masks are 0 and 255."""
    for name in ALL:
        image, ids = picture(name)
        save(root / f"{name}.png", image)
        save(root / f"{name}_mask.png", np.where(ids == 1, 255, 0).astype(np.uint8))


EXPORTS: dict[str, Callable[[Path], None]] = {
    "cvat": cvat,
    "coco": coco,
    "nnunet": nnunet,
    "flat": flat,
}
