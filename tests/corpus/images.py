#!/usr/bin/env python3
"""Makes the images that `image-resize` is tested with, good and hostile ones.

    images.py FOLDER

writes them, and `manifest.json` with what is expected of each: the code of a failure, `any` for any failure, `ok` if
there are results, and `null` if the results are to be those of Pillow. It needs Pillow. Nothing is random: each run makes the same bytes.
"""

import io
import json
import struct
import sys
import zlib
from pathlib import Path

from PIL import Image, ImageDraw

SIZE = (240, 160)
JPEG = {"format": "JPEG", "quality": 92}


def picture(mode="RGB", size=SIZE):
    """Gradients, edges and, where the mode has it, opacity. No two sides are the same."""
    width, height = size
    across, down = Image.linear_gradient("L").rotate(90), Image.linear_gradient("L")
    across, down = across.resize(size), down.resize(size)
    image = Image.merge("RGB", (across, down, Image.blend(across, down, 0.3).point(lambda value: 255 - value)))
    draw = ImageDraw.Draw(image)
    draw.ellipse((width // 8, height // 6, width // 2, height * 5 // 6), fill=(250, 40, 30))
    draw.rectangle((width * 3 // 5, height // 2, width - 9, height - 5), fill=(20, 90, 220), outline=(255, 255, 255))
    draw.line((0, 0, width // 3, height), fill=(0, 0, 0), width=3)
    if mode in ("RGBA", "LA"):
        alpha = Image.radial_gradient("L").resize(size).point(lambda value: 255 - value)
        ImageDraw.Draw(alpha).rectangle((0, 0, width // 4, height // 4), fill=0)
        image.putalpha(alpha)
    return image.convert(mode)


def saved(image, **options):
    out = io.BytesIO()
    image.save(out, **options)
    return out.getvalue()


def exif(orientation):
    data = Image.Exif()
    data[0x0112] = orientation
    return data.tobytes()


def rgb_profile(red, green, blue):
    """An ICC profile with these colorants (XYZ, adapted to D50) and the curve of sRGB."""
    fixed = lambda values: b"".join(struct.pack(">i", round(value * 65536)) for value in values)
    xyz = lambda values: b"XYZ \0\0\0\0" + fixed(values)
    curve = b"para\0\0\0\0" + struct.pack(">HH", 3, 0) + fixed((2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045))
    text = b"desc\0\0\0\0" + struct.pack(">I", 5) + b"test\0" + bytes(78)
    tags = [(b"desc", text), (b"cprt", b"text\0\0\0\0none\0"), (b"wtpt", xyz((0.9642, 1.0, 0.8249)))]
    tags += [(b"rXYZ", xyz(red)), (b"gXYZ", xyz(green)), (b"bXYZ", xyz(blue))]
    tags += [(name, curve) for name in (b"rTRC", b"gTRC", b"bTRC")]
    table, data, offset = b"", b"", 128 + 4 + 12 * len(tags)
    for name, value in tags:
        value += bytes(-len(value) % 4)
        table += name + struct.pack(">II", offset + len(data), len(value))
        data += value
    body = struct.pack(">I", len(tags)) + table + data
    header = struct.pack(">I4sI4s4s4s", 128 + len(body), b"test", 0x02400000, b"mntr", b"RGB ", b"XYZ ")
    header += struct.pack(">6H4s", 2025, 1, 1, 0, 0, 0, b"acsp") + bytes(28) + fixed((0.9642, 1.0, 0.8249))
    return header.ljust(128, b"\0") + body


def display_p3():
    return rgb_profile((0.515102, 0.241182, -0.001050), (0.291965, 0.692236, 0.041882), (0.157153, 0.066582, 0.784378))


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, bits, colour, data, interlace=0, more=b""):
    """A PNG by hand: `data` are its rows with their filters, uncompressed."""
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, interlace)
    parts = chunk(b"IHDR", header) + more + chunk(b"IDAT", zlib.compress(data, 9)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def png_16(image):
    width, height = image.size
    rows = [image.crop((0, y, width, y + 1)).tobytes() for y in range(height)]
    # The same value in both bytes: 255 becomes 65535.
    doubled = [b"\0" + bytes(byte for value in row for byte in (value, value)) for row in rows]
    return png(width, height, 16, {"L": 0, "RGB": 2}[image.mode], b"".join(doubled))


def png_interlaced(image):
    width, height = image.size
    data = b""
    for x0, y0, dx, dy in ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)):
        for y in range(y0, height, dy):
            data += b"\0" + b"".join(bytes(image.getpixel((x, y))) for x in range(x0, width, dx))
    return png(width, height, 8, 2, data, interlace=1)


def ycck():
    """Pillow has no writer for YCCK: the four planes are written as CMYK, and the Adobe marker is changed."""
    image = picture().convert("CMYK")
    cyan, magenta, yellow, black = image.split()
    # Black is taken out of the colours, so that it matters.
    black = Image.linear_gradient("L").resize(SIZE).point(lambda value: value // 2)
    # In the file, all values are complements, and red, green and blue are those of the inks.
    luminance = Image.merge("RGB", (cyan, magenta, yellow)).convert("YCbCr")
    planes = [*luminance.split(), black.point(lambda value: 255 - value)]
    stored = Image.merge("CMYK", [plane.point(lambda value: 255 - value) for plane in planes])
    data = saved(stored, **JPEG)
    marker = data.index(b"Adobe")
    return data[: marker + 11] + b"\x02" + data[marker + 12 :]


def gif_with_offset():
    """A frame that covers a part of its canvas only, with a colour that is transparent."""
    frame = Image.new("P", (40, 30))
    frame.putpalette([200, 30, 30, 30, 200, 30, 30, 30, 200])
    frame.putdata([(x // 10 + y // 10) % 3 for y in range(30) for x in range(40)])
    data = saved(frame, format="GIF", transparency=2)
    image = data.index(b",", 13)
    data = data[: image + 1] + struct.pack("<HH", 20, 10) + data[image + 5 :]
    return data[:6] + struct.pack("<HH", 100, 60) + data[10:]


def good():
    frames = [picture(), picture().rotate(180), picture().convert("L").convert("RGB")]
    palette = picture("RGBA").quantize(32, method=Image.Quantize.FASTOCTREE)
    files = {
        "baseline.jpg": saved(picture(), **JPEG),
        "subsampled.jpg": saved(picture(), **JPEG, subsampling="4:2:0"),
        "progressive.jpg": saved(picture(), **JPEG, progressive=True),
        "restarts.jpg": saved(picture(), **JPEG, restart_marker_rows=1),
        "grey.jpg": saved(picture("L"), **JPEG),
        "cmyk.jpg": saved(picture().convert("CMYK"), **JPEG),
        "ycck.jpg": ycck(),
        "display-p3.jpg": saved(picture(), **JPEG, icc_profile=display_p3()),
        "after-the-end.jpg": saved(picture(), **JPEG) + saved(picture("L"), **JPEG),
        "broken-profile.jpg": saved(picture(), **JPEG, icc_profile=b"none" * 40),
        "flat.jpg": saved(Image.new("L", (64, 64), 120), **JPEG, optimize=True),
        "flat-strip.jpg": saved(Image.new("RGB", (8, 64), (90, 160, 40)), **JPEG),
        "rgb.png": saved(picture(), format="PNG"),
        "rgba.png": saved(picture("RGBA"), format="PNG"),
        "opaque-rgba.png": saved(picture().convert("RGBA"), format="PNG"),
        "grey-alpha.png": saved(picture("LA"), format="PNG"),
        "palette.png": saved(palette, format="PNG"),
        "palette-transparent.png": saved(picture().quantize(16), format="PNG", transparency=3),
        "one-bit.png": saved(picture("L").point(lambda value: 255 * (value > 120), "1"), format="PNG"),
        "grey-16.png": png_16(picture("L")),
        "rgb-16.png": png_16(picture()),
        "interlaced.png": png_interlaced(picture()),
        "display-p3.png": saved(picture("RGBA"), format="PNG", icc_profile=display_p3()),
        "turned.png": saved(picture(), format="PNG", exif=exif(6)),
        "one-pixel.png": saved(Image.new("RGB", (1, 1), (1, 200, 3)), format="PNG"),
        "strip.png": saved(picture(size=(3000, 20)), format="PNG"),
        "animated.gif": saved(frames[0], format="GIF", save_all=True, append_images=frames[1:]),
        "offset.gif": gif_with_offset(),
        "lossy.webp": saved(picture(), format="WEBP", quality=90),
        "lossless.webp": saved(picture(), format="WEBP", lossless=True),
        "lossy-alpha.webp": saved(picture("RGBA"), format="WEBP", quality=90),
        "lossless-alpha.webp": saved(picture("RGBA"), format="WEBP", lossless=True),
        "animated.webp": saved(frames[0], format="WEBP", save_all=True, append_images=frames[1:], lossless=True),
        "turned.webp": saved(picture(), format="WEBP", lossless=True, exif=exif(8)),
        # The content decides.
        "png-in-truth.jpg": saved(picture(), format="PNG"),
        "jpeg-in-truth.gif": saved(picture(), **JPEG),
    }
    for orientation in range(1, 9):
        files[f"orientation-{orientation}.jpg"] = saved(picture(), **JPEG, exif=exif(orientation))
    return files


def truncated():
    whole = good()
    names = ("baseline.jpg", "progressive.jpg", "rgb.png", "interlaced.png", "palette.png")
    names += ("animated.gif", "offset.gif", "lossy.webp", "lossless.webp", "animated.webp")
    for name in names:
        data = whole[name]
        for left in (len(data) // 2, len(data) * 9 // 10, len(data) - 1):
            yield f"cut-at-{left}-{name}", data[:left], "truncated-image"
    for name in ("baseline.jpg", "rgb.png", "animated.gif", "lossy.webp"):
        yield f"without-its-end{Path(name).suffix}", whole[name][:-1], "truncated-image"
    # The end is there, and the middle is not.
    data = whole["baseline.jpg"]
    yield "hole.jpg", data[: len(data) * 2 // 3] + b"\xff\xd9", "corrupt-image"
    data = whole["progressive.jpg"]
    yield "hole-progressive.jpg", data[: len(data) // 4] + b"\xff\xd9", "corrupt-image"
    data = whole["rgb.png"]
    yield "hole.png", data[: len(data) // 2] + data[len(data) // 2 + 40 :], "corrupt-image"


def jpeg_frame(width, height, progressive=True):
    """The start of a JPEG of one channel, up to its first scan."""
    tables = b"\xff\xdb" + struct.pack(">HB", 67, 0) + bytes([1] * 64)
    for kind in (0x00, 0x10):
        # One code of one bit, for the symbol 0.
        tables += b"\xff\xc4" + struct.pack(">HB", 20, kind) + bytes([1] + [0] * 15) + b"\0"
    frame = struct.pack(">HBHHBBBB", 11, 8, height, width, 1, 1, 0x11, 0)
    return b"\xff\xd8" + tables + (b"\xff\xc2" if progressive else b"\xff\xc0") + frame


def scan(first, last, data):
    return b"\xff\xda" + struct.pack(">HBBBBBB", 8, 1, 1, 0, first, last, 0) + data


def hostile():
    idat = bytes(1000)
    yield "bomb-50000.png", png(50_000, 50_000, 8, 6, idat), "too-many-pixels"
    yield "bomb-wide.png", png(0x7FFFFFFF, 1, 8, 2, idat), "too-many-pixels"
    yield "bomb-rows.png", png(9_000, 9_000, 8, 2, bytes(9_000 * 3 + 1)), "corrupt-image"
    # Three thousand times as much as the header says: what follows the pixels is ignored or an error.
    surplus = b"".join(b"\0" + bytes(30) for _ in range(10)) + bytes(1_000_000)
    yield "surplus.png", png(10, 10, 8, 2, surplus), "ok"
    profile = b"bomb\0\0" + zlib.compress(bytes(200_000_000), 9)
    yield "bomb-profile.png", png(10, 10, 8, 2, surplus[:310], more=chunk(b"iCCP", profile)), "ok"
    text = b"bomb\0\0" + zlib.compress(bytes(200_000_000), 9)
    yield "bomb-text.png", png(10, 10, 8, 2, surplus[:310], more=chunk(b"zTXt", text)), "ok"
    gif = saved(picture("P", (40, 30)), format="GIF")
    yield "bomb-canvas.gif", gif[:6] + struct.pack("<HH", 65_535, 65_535) + gif[10:], "too-many-pixels"
    image = gif.index(b",", 13 + 3 * (2 << (gif[10] & 7)))
    frame = gif[: image + 5] + struct.pack("<HH", 65_535, 65_535) + gif[image + 9 :]
    yield "bomb-frame.gif", frame, "too-many-pixels"
    end = b"\xff\xd9"
    yield "bomb-65535.jpg", jpeg_frame(65_535, 65_535) + scan(0, 0, b"\0") + end, "too-many-pixels"
    yield "bomb-tiny.jpg", jpeg_frame(9_000, 9_000, False) + scan(0, 63, b"\0") + end, "implausible-size"
    scans = b"".join(scan(1, 63, b"\0") for _ in range(5_000))
    yield "bomb-scans.jpg", jpeg_frame(4_000, 4_000) + scan(0, 0, bytes(31_250)) + scans + end, "corrupt-image"
    yield "no-pixels.jpg", jpeg_frame(0, 10) + scan(0, 0, b"\0") + end, "corrupt-image"
    vp8l = struct.pack("<BI", 0x2F, 16_382 | (16_382 << 14)) + bytes(20)
    webp = b"WEBPVP8L" + struct.pack("<I", len(vp8l)) + vp8l + bytes(len(vp8l) % 2)
    yield "bomb-16383.webp", b"RIFF" + struct.pack("<I", len(webp)) + webp, "too-many-pixels"
    yield "empty.jpg", b"", "not-an-image"
    state, noise = 1, bytearray()
    for _ in range(5_000):
        state = state * 6364136223846793005 + 1442695040888963407 & (1 << 64) - 1
        noise.append(state >> 56)
    yield "noise.jpg", bytes(noise), "not-an-image"
    for name, start in (("noise-jpeg.jpg", b"\xff\xd8\xff"), ("noise-gif.gif", b"GIF89a"), ("noise-png.png", b"\x89PNG\r\n\x1a\n")):
        yield name, start + bytes(noise), {"noise-png.png": "corrupt-image"}.get(name, "any")
    yield "noise-webp.webp", b"RIFF\x00\x10\x00\x00WEBP" + bytes(noise), "corrupt-image"
    svg = b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'
    yield "drawing.svg", svg, "unsupported-format"
    yield "drawing.png", svg, "unsupported-format"
    yield "photo.avif", b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf" + bytes(200), "unsupported-format"
    yield "photo.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200), "unsupported-format"
    yield "scan.tif", saved(picture(), format="TIFF"), "unsupported-format"
    yield "old.bmp", saved(picture(), format="BMP"), "unsupported-format"
    yield "page.html", b"<html><body>no image</body></html>", "not-an-image"


def of_other_tools():
    """Small images that ImageMagick has made."""
    folder = Path(__file__).parent / "other_tools"
    paths = sorted(folder.glob("imagemagick*"))
    return [(path.name, path.read_bytes(), None) for path in paths]


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    manifest = {}
    files = [(name, data, None) for name, data in good().items()] + [*truncated(), *hostile(), *of_other_tools()]
    for name, data, expected in files:
        (folder / name).write_bytes(data)
        manifest[name] = expected
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1))


if __name__ == "__main__":
    main()
