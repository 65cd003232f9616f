#!/usr/bin/env python3
"""Compares `image-resize` with Pillow on the images of `images.py`.

    check_images.py COMMAND FOLDER [RULE]

COMMAND is the program, such as target/debug/upload-broker. Each image must end as the manifest says; the pixels of
the results must be those of Pillow, up to the rounding of different decoders. Prints a line for each fault, and ends
with 1 if there is one. RULE is a part of the names of the images that are to be checked.
"""

import io
import json
import subprocess
import sys
from pathlib import Path

from PIL import Image, ImageChops, ImageCms, ImageOps, ImageStat

SIZES = [("large", 150), ("small", 40)]
# The mean and the largest difference of a channel that is allowed. Decoders of JPEG and of WebP with loss differ in
# how they enlarge the planes of colours.
EXACT, LOSSY = (1.0, 24), (2.0, 48)
# An image of a few rows is averaged to one: the shape of the filter matters.
STRIP = (6.0, 16)


def run(command, path, output):
    sizes = [{"name": name, "max_width": side, "max_height": side} for name, side in SIZES]
    options = json.dumps({"sizes": sizes, "format": output})
    arguments = [command, "process", "image-resize", "--options", options]
    with path.open("rb") as source:
        done = subprocess.run(arguments, stdin=source, capture_output=True, timeout=60)
    lines = done.stderr.decode().splitlines()
    try:
        line = json.loads(lines[-1])
    except (IndexError, ValueError):
        raise AssertionError(f"ended with {done.returncode} without a report: {done.stderr[-300:]}") from None
    if "failure" in line:
        return line["failure"], []
    results, start = [], 0
    for result in line["results"]:
        results.append((result["name"], result["extension"], done.stdout[start : start + result["size"]]))
        start += result["size"]
    return line["report"], results


def reference(path):
    """The first frame as Pillow shows it: upright, in sRGB."""
    image = Image.open(path)
    image.seek(0)
    profile = image.info.get("icc_profile")
    if image.mode.startswith("I"):
        # Pillow keeps 16 bits of grey, and cannot reduce them itself.
        image = image.point(lambda value: value / 256).convert("L")
    image = ImageOps.exif_transpose(image)
    if "transparency" in image.info or image.mode in ("LA", "PA"):
        image = image.convert("RGBA")
    elif image.mode not in ("RGB", "RGBA"):
        image = image.convert("RGB")
    try:
        profile = profile and ImageCms.ImageCmsProfile(io.BytesIO(profile))
    except OSError:
        profile = None
    return image.convert("RGBA"), profile


def fitted(size, side):
    """The rule of `image-resize`: never enlarged, rounded, at least one pixel."""
    width, height = size
    if width <= side and height <= side:
        return size
    if width >= height:
        return side, max(1, (height * side + width // 2) // width)
    return max(1, (width * side + height // 2) // height), side


def shown(image, ground):
    backed = Image.new("RGBA", image.size, ground)
    return Image.alpha_composite(backed, image.convert("RGBA")).convert("RGB")


def compare(name, expected, result, tolerance):
    mean_allowed, most_allowed = tolerance
    for ground in ("white", "black"):
        difference = ImageChops.difference(shown(expected, ground), shown(result, ground))
        mean = max(ImageStat.Stat(difference).mean)
        most = max(high for _, high in difference.getextrema())
        if mean > mean_allowed or most > most_allowed:
            yield f"{name} on {ground}: the mean difference is {mean:.2f}, the largest {most}"


def check_good(command, path):
    image, profile = reference(path)
    is_lossy = path.read_bytes()[:2] == b"\xff\xd8" or "lossy" in path.name
    report, results = run(command, path, "png")
    if "code" in report:
        yield f"failed: {report}"
        return
    if [name for name, _, _ in results] != [name for name, _ in SIZES]:
        yield f"has the results {[name for name, _, _ in results]}"
    for (name, side), (_, extension, data) in zip(SIZES, results):
        result = Image.open(io.BytesIO(data))
        result.load()
        if extension != "png" or result.format != "PNG":
            yield f"{name} is {result.format} with the extension {extension}"
        if result.info.keys() & {"icc_profile", "exif", "xmp"} or result.getexif():
            yield f"{name} has metadata: {result.info.keys()}"
        size = fitted(image.size, side)
        if result.size != size:
            yield f"{name} has the size {result.size} and not {size}"
            continue
        expected = image.resize(size, Image.Resampling.LANCZOS)
        if profile:
            alpha = expected.getchannel("A")
            expected = ImageCms.profileToProfile(expected.convert("RGB"), profile, ImageCms.createProfile("sRGB"))
            expected.putalpha(alpha)
        tolerance = STRIP if "strip" in path.name else LOSSY if is_lossy else EXACT
        yield from compare(name, expected, result, tolerance)
    yield from check_auto(command, path, image)


def check_auto(command, path, image):
    """Without a format, transparent images become PNG and others JPEG."""
    extension = "jpg" if image.getchannel("A").getextrema()[0] == 255 else "png"
    _, results = run(command, path, "auto")
    for name, found, data in results:
        # The small results of strips may have lost what was transparent.
        if found != extension:
            yield f"{name} is {found} and not {extension}"
        result = Image.open(io.BytesIO(data))
        result.load()


def check_bad(command, path, code):
    report, results = run(command, path, "auto")
    found = report.get("code")
    if code == "ok":
        if found:
            yield f"failed: {report}"
        return
    if results or (code != "any" and found != code) or not found:
        yield f"ends with {found or 'results'}, and not with {code}: {report}"
    if found in ("crashed", "internal"):
        yield f"crashes the processor: {report}"


def main():
    command, folder = sys.argv[1], Path(sys.argv[2])
    rule = sys.argv[3] if len(sys.argv) > 3 else ""
    manifest = json.loads((folder / "manifest.json").read_text())
    faults, checked = 0, 0
    for name, code in manifest.items():
        if rule not in name:
            continue
        checked += 1
        path = folder / name
        try:
            found = list(check_bad(command, path, code) if code else check_good(command, path))
        except (AssertionError, subprocess.TimeoutExpired, OSError) as error:
            found = [str(error)]
        for fault in found:
            print(f"{name}: {fault}")
        faults += len(found)
    print(f"{checked} images, {faults} faults")
    sys.exit(faults > 0)


if __name__ == "__main__":
    main()
