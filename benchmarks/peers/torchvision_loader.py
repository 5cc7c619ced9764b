"""The peer in torchvision: PyTorch's DataLoader with the chain of the same name, behind the benchmark's line protocol.

The protocol is described in src/protocol.ts and src/data/protocol.ts. Runs with any torchvision from 0.14 on; Debian's
package is python3-torchvision.
"""

import json
import sys
import time
from pathlib import Path


def answer(message):
    print(json.dumps(message), flush=True)


try:
    import numpy
    import PIL
    import torch
    import torchvision
    from PIL import Image
    from torch.utils.data import DataLoader, Dataset, Subset
    from torchvision import transforms
    from torchvision.datasets import ImageFolder
except ImportError as error:
    answer({"unavailable": f"{sys.executable} has no torchvision ({error})"})
    sys.exit()


class Cifar10(Dataset):
    """The binary version's images in memory, given out as torchvision's own class does."""

    def __init__(self, folder, transform):
        files = sorted(Path(folder).glob("data_batch_*.bin"))
        records = numpy.concatenate([numpy.fromfile(file, dtype=numpy.uint8) for file in files])
        records = records.reshape(-1, 1 + 3 * 32 * 32)
        self.images = numpy.ascontiguousarray(records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))
        self.labels = records[:, 0].tolist()
        self.transform = transform

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        return self.transform(Image.fromarray(self.images[index])), self.labels[index]


def article_from_scratch(train):
    augmentation = [
        transforms.RandomCrop(32, padding=4),
        transforms.Resize((224, 224)),
        transforms.RandomHorizontalFlip(),
        transforms.RandomRotation(15),
        transforms.ColorJitter(brightness=0.2, contrast=0.2, saturation=0.2, hue=0.1),
    ]
    normalize = transforms.Normalize((0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010))
    first = augmentation if train else [transforms.Resize((224, 224))]
    return transforms.Compose([*first, transforms.ToTensor(), normalize])


def article_fine_tune(train):
    flip = [transforms.RandomHorizontalFlip()] if train else []
    normalize = transforms.Normalize((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    return transforms.Compose([transforms.Resize((224, 224)), *flip, transforms.ToTensor(), normalize])


chains = {"article-from-scratch": article_from_scratch, "article-fine-tune": article_fine_tune}
sources = {"cifar10": Cifar10, "photos": ImageFolder}


def main(options):
    def dataset(train):
        whole = sources[options["images"]](options["folder"], transform=chains[options["transforms"]](train))
        return Subset(whole, range(options["count"]))

    torch.set_num_threads(options["threads"])
    workers = options["workers"]
    loader = DataLoader(
        dataset(True), options["batchSize"], shuffle=True, num_workers=workers, persistent_workers=workers > 0
    )

    answer({"ready": f"torchvision {torchvision.__version__}, PyTorch {torch.__version__}, Pillow {PIL.__version__}"})
    for line in sys.stdin:
        if line.strip() == "check":
            images = next(iter(DataLoader(dataset(False), 8)))[0]
            answer({"means": images.mean(dim=(1, 2, 3)).tolist()})
            continue
        start = time.perf_counter()
        count = sum(len(labels) for _, labels in loader)
        milliseconds = 1000 * (time.perf_counter() - start)
        if count != options["count"]:
            raise RuntimeError(f"An epoch had {count} images; expected {options['count']}.")
        answer({"milliseconds": milliseconds})


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
