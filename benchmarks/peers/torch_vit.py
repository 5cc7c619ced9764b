"""The peer in PyTorch: the article's ViT in plain modules, in eager mode, behind the benchmark's line protocol.

The protocol is described in src/protocol.ts. Runs with any PyTorch from 1.13 on and needs nothing else; Debian's packages
are python3-torch and, for a BLAS that is not the plain reference one, libopenblas0-openmp.
"""

import json
import sys
import time
from pathlib import Path


def answer(message):
    print(json.dumps(message), flush=True)


try:
    import torch
    from torch import nn
    from torch.nn import functional
except ImportError as error:
    answer({"unavailable": f"{sys.executable} has no PyTorch ({error})"})
    sys.exit()


class SelfAttention(nn.Module):
    def __init__(self, hidden_size, num_heads):
        super().__init__()
        self.num_heads = num_heads
        self.scale = (hidden_size // num_heads) ** -0.5
        self.qkv = nn.Linear(hidden_size, 3 * hidden_size)
        self.projection = nn.Linear(hidden_size, hidden_size)

    def forward(self, x):
        batch, tokens, channels = x.shape
        qkv = self.qkv(x).reshape(batch, tokens, 3, self.num_heads, channels // self.num_heads)
        query, key, value = qkv.permute(2, 0, 3, 1, 4)
        probabilities = (query @ key.transpose(-2, -1) * self.scale).softmax(dim=-1)
        return self.projection((probabilities @ value).transpose(1, 2).reshape(batch, tokens, channels))


class Layer(nn.Module):
    def __init__(self, config):
        super().__init__()
        hidden_size, intermediate_size = config["hidden_size"], config["intermediate_size"]
        self.norm_before = nn.LayerNorm(hidden_size, eps=config["layer_norm_eps"])
        self.attention = SelfAttention(hidden_size, config["num_attention_heads"])
        self.norm_after = nn.LayerNorm(hidden_size, eps=config["layer_norm_eps"])
        self.mlp = nn.Sequential(
            nn.Linear(hidden_size, intermediate_size), nn.GELU(), nn.Linear(intermediate_size, hidden_size)
        )

    def forward(self, x):
        x = x + self.attention(self.norm_before(x))
        return x + self.mlp(self.norm_after(x))


class ViT(nn.Module):
    def __init__(self, config):
        super().__init__()
        hidden_size, patch_size = config["hidden_size"], config["patch_size"]
        num_patches = (config["image_size"] // patch_size) ** 2
        self.patches = nn.Conv2d(config["num_channels"], hidden_size, kernel_size=patch_size, stride=patch_size)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, hidden_size))
        self.positions = nn.Parameter(torch.zeros(1, 1 + num_patches, hidden_size))
        self.layers = nn.Sequential(*(Layer(config) for _ in range(config["num_hidden_layers"])))
        self.norm = nn.LayerNorm(hidden_size, eps=config["layer_norm_eps"])
        self.classifier = nn.Linear(hidden_size, len(config["id2label"]))

    def forward(self, pixel_values):
        patches = self.patches(pixel_values).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.cls_token.expand(len(patches), -1, -1), patches], dim=1) + self.positions
        return self.classifier(self.norm(self.layers(tokens))[:, 0])


def read_safetensors(path):
    """Tensors by name; the format is an 8-byte header length, a JSON header, and the tensors' bytes."""
    content = bytearray(Path(path).read_bytes())
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    dtypes = {"F32": torch.float32, "I32": torch.int32}
    return {
        name: torch.frombuffer(
            content, dtype=dtypes[entry["dtype"]], offset=start + entry["data_offsets"][0], count=_count(entry["shape"])
        ).reshape(entry["shape"])
        for name, entry in header.items()
        if name != "__metadata__"
    }


def _count(shape):
    count = 1
    for size in shape:
        count *= size
    return count


def from_hugging_face(weights, num_layers):
    """The folder's tensors under the names above; query, key and value become one product, as such models have it."""
    names = {
        "cls_token": "vit.embeddings.cls_token",
        "positions": "vit.embeddings.position_embeddings",
        **_affine("patches", "vit.embeddings.patch_embeddings.projection"),
        **_affine("norm", "vit.layernorm"),
        **_affine("classifier", "classifier"),
    }
    state = {}
    for i in range(num_layers):
        ours, theirs = f"layers.{i}", f"vit.encoder.layer.{i}"
        names |= _affine(f"{ours}.norm_before", f"{theirs}.layernorm_before")
        names |= _affine(f"{ours}.attention.projection", f"{theirs}.attention.output.dense")
        names |= _affine(f"{ours}.norm_after", f"{theirs}.layernorm_after")
        names |= _affine(f"{ours}.mlp.0", f"{theirs}.intermediate.dense")
        names |= _affine(f"{ours}.mlp.2", f"{theirs}.output.dense")
        for part in ("weight", "bias"):
            packed = [weights[f"{theirs}.attention.attention.{name}.{part}"] for name in ("query", "key", "value")]
            state[f"{ours}.attention.qkv.{part}"] = torch.cat(packed)
    return state | {ours: weights[theirs] for ours, theirs in names.items()}


def _affine(ours, theirs):
    return {f"{ours}.{part}": f"{theirs}.{part}" for part in ("weight", "bias")}


def blas():
    """The library of matrix products that was loaded: None when PyTorch brings its own, "reference" for the plain one."""
    try:
        libraries = {Path(line.split()[-1]) for line in Path("/proc/self/maps").read_text().splitlines() if "blas.so" in line}
    except OSError:
        return None
    folders = {library.parent.name for library in libraries}
    return "reference" if folders == {"blas"} else next(iter(folders), None)


def main(options):
    if blas() == "reference":
        answer({"unavailable": "PyTorch would use the reference BLAS, some twenty times too slow; install libopenblas0-openmp"})
        return
    torch.set_num_threads(options["threads"])
    folder = Path(options["modelFolder"])
    config = json.loads((folder / "config.json").read_text())
    training = options["task"] == "training"
    model = ViT(config).train(training)
    model.load_state_dict(from_hugging_face(read_safetensors(folder / "model.safetensors"), config["num_hidden_layers"]))
    inputs = read_safetensors(options["inputs"])
    pixel_values, labels = inputs["pixel_values"], inputs["labels"].long()
    optimizer = torch.optim.Adam(model.parameters(), lr=options["learningRate"])

    def infer():
        with torch.no_grad():
            return model(pixel_values)

    def train():
        optimizer.zero_grad(set_to_none=True)
        loss = functional.cross_entropy(model(pixel_values), labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    answer({"ready": f"PyTorch {torch.__version__}" + (f", {blas()}" if blas() else "")})
    for line in sys.stdin:
        if line.strip() == "check":
            answer({"logits": infer().flatten().tolist()})
            continue
        start = time.perf_counter()
        result = train() if training else infer()
        milliseconds = 1000 * (time.perf_counter() - start)
        answer({"milliseconds": milliseconds, **({"loss": result} if training else {})})


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
