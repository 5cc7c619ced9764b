"""Makes the images of test/fixtures/decode and the checksums of their pixels in PIL: python3 make-decode-fixtures.py FOLDER.

The pixels are those of convert('RGB'), but where decodeImage's documentation says that it differs: EXIF's orientation
is applied, of 16-bit grey the high bytes are taken, transparent pixels of a GIF are black.
"""

import hashlib
import json
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps

folder = Path(sys.argv[1])
y, x = np.mgrid[0:12, 0:16]
rgb = np.stack([x * 16, y * 20, (x * y * 3) % 256], -1).astype(np.uint8)
image = Image.fromarray(rgb)
grey = image.convert("L")
palette = image.quantize(16)
rgba = Image.fromarray(np.dstack([rgb, (x * 16).astype(np.uint8)]))
grey16 = (x * 4000 + y * 100).astype(np.uint16)
profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_of_16_bits():
    """PIL reads such a file but cannot write one."""
    rows = b"".join(b"\0" + (row.astype(np.uint16) * 256 + 77).astype(">u2").tobytes() for row in rgb)
    header = struct.pack(">IIBBBBB", 16, 12, 16, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def exif(orientation):
    tags = Image.Exif()
    tags[0x0112] = orientation
    return {"exif": tags, "quality": 90}


files = {
    "colour.jpg": (image, {"quality": 90}),
    "subsampled.jpg": (image, {"quality": 75, "subsampling": 2}),
    "progressive.jpg": (image, {"quality": 85, "progressive": True}),
    "grey.jpg": (grey, {}),
    "cmyk.jpg": (image.convert("CMYK"), {"quality": 95}),
    "profile.jpg": (image, {"quality": 90, "icc_profile": profile}),
    **{f"exif-{i}.jpg": (image, exif(i)) for i in range(1, 9)},
    "colour.png": (image, {}),
    "grey.png": (grey, {}),
    "palette.png": (palette, {}),
    "palette-alpha.png": (palette, {"transparency": bytes([0, 128] + [255] * 14)}),
    "one-bit.png": (image.convert("1"), {}),
    "alpha.png": (rgba, {}),
    "grey-alpha.png": (rgba.convert("LA"), {}),
    "grey-16.png": (Image.fromarray(grey16), {}),
    "lossless.webp": (image, {"lossless": True}),
    "lossy.webp": (image, {"quality": 80}),
    "alpha.webp": (rgba, {"lossless": True, "exact": True}),
    "animated.webp": (image, {"save_all": True, "append_images": [image.rotate(180)], "lossless": True}),
    "colour.gif": (palette, {}),
    "transparent.gif": (palette, {"transparency": 3}),
    "animated.gif": (palette, {"save_all": True, "append_images": [palette.rotate(180)], "duration": 100}),
    "colour.tif": (image, {"compression": "tiff_lzw"}),
    "cmyk.tif": (image.convert("CMYK"), {}),
    "colour.bmp": (image, {}),
    "palette.bmp": (palette, {}),
    "one-bit.bmp": (image.convert("1"), {}),
    "alpha.bmp": (rgba, {}),
    "colour.ppm": (image, {}),
    "grey.pgm": (grey, {}),
    "one-bit.pbm": (image.convert("1"), {}),
}

for name, (made, options) in files.items():
    made.save(folder / name, **options)
(folder / "colour-16.png").write_bytes(png_of_16_bits())


def bmp(height, bits, compression, data, palette=b""):
    """What PIL reads but does not write: rows from the top, run lengths."""
    start = 54 + len(palette)
    file = struct.pack("<2sIHHI", b"BM", start + len(data), 0, 0, start)
    return file + struct.pack("<IiiHHIIiiII", 40, 16, height, 1, bits, compression, len(data), 0, 0, 0, 0) + palette + data


runs = b"".join(bytes([10, 3 * row, 6, 255 - row, 0, 0]) for row in range(12)) + b"\0\1"
colours = b"".join(bytes([i, 255 - i, i // 2, 0]) for i in range(256))
bitmaps = {
    "top-down.bmp": bmp(-12, 24, 0, rgb[..., ::-1].tobytes()),
    "run-length.bmp": bmp(12, 8, 1, runs, colours),
    "text.ppm": b"P3 # a comment\n16 12\n255\n" + b" ".join(b"%d" % value for value in rgb.flat) + b"\n",
    "colour-16.ppm": b"P6\n16 12\n65535\n" + (rgb.astype(np.uint16) * 250 + 77).astype(">u2").tobytes(),
    "few-levels.ppm": b"P6\n16 12\n51\n" + (rgb % 52).astype(np.uint8).tobytes(),
}
for name, content in bitmaps.items():
    (folder / name).write_bytes(content)

expected = {}
for name in [*files, *bitmaps, "colour-16.png"]:
    opened = Image.open(folder / name)
    if name == "grey-16.png":
        pixels = np.repeat((grey16 >> 8).astype(np.uint8)[..., None], 3, -1)
    elif name == "transparent.gif":
        with_alpha = np.array(opened.convert("RGBA"))
        pixels = with_alpha[..., :3] * (with_alpha[..., 3:] > 0)
    else:
        pixels = np.array(ImageOps.exif_transpose(opened).convert("RGB"))
    height, width = pixels.shape[:2]
    expected[name] = {"width": width, "height": height, "sha256": hashlib.sha256(pixels.tobytes()).hexdigest()}
(folder / "expected.json").write_text(json.dumps(expected, indent=2) + "\n")
