"""The measurements of images.sh: generates images, and makes two sizes of each with each of the programs."""

import json
import multiprocessing
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile
import time

MIB = 1 << 20
SIZES = {"large": 1600, "small": 320}
OPTIONS = json.dumps({"sizes": [{"name": name, "max_width": side, "max_height": side} for name, side in SIZES.items()]})

# The most seconds of wall time and MiB for each image, on a machine that has nothing else to do.
LIMITS = {
    "photo.jpg": (0.4, 110),
    "progressive.jpg": (None, None),
    "photo.webp": (None, None),
    "photo.png": (1.5, 260),
    "transparent.png": (1.5, 260),
}


def generate(folder):
    """Writes the images: structures of several sizes and noise, so that they compress like photos."""
    from PIL import Image

    def noise(size, sigma, shrunk):
        small = Image.effect_noise((size[0] // shrunk, size[1] // shrunk), sigma)
        return small.resize(size, Image.Resampling.BICUBIC)

    size = (6000, 4000)
    gradient = Image.linear_gradient("L").resize(size)
    coarse, fine = noise(size, 90, 8), noise(size, 80, 4)
    red = Image.blend(Image.blend(fine, gradient, 0.5), noise(size, 20, 1), 0.25)
    photo = Image.merge("RGB", (red, Image.blend(coarse, gradient, 0.4), Image.blend(fine, coarse, 0.5)))
    photo.save(folder / "photo.jpg", quality=90, subsampling="4:2:0")
    photo.save(folder / "progressive.jpg", quality=90, subsampling="4:2:0", progressive=True)
    photo.save(folder / "photo.webp", quality=85, method=0)
    large = photo.resize((8192, 8192), Image.Resampling.BICUBIC)
    large.save(folder / "photo.png")
    large.putalpha(Image.linear_gradient("L").resize(large.size))
    large.save(folder / "transparent.png")
    # The header of 50,000 x 50,000 pixels, and hardly any pixel.
    sys.path.insert(0, "tests/corpus")
    import images

    (folder / "bomb.png").write_bytes(images.png(50_000, 50_000, 8, 6, bytes(1000)))


def run(commands, source):
    """Runs programs one after the other. Returns their wall seconds, CPU seconds and most memory in MiB."""
    wall = cpu = memory = 0
    for parts, expected in commands:
        with open(source, "rb") as stdin, tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
            started = time.monotonic()
            environment = {**os.environ, "OMP_NUM_THREADS": "1", "MAGICK_THREAD_LIMIT": "1", "VIPS_CONCURRENCY": "1"}
            process = subprocess.Popen(parts, stdin=stdin, stdout=output, stderr=errors, env=environment)
            _, status, used = os.wait4(process.pid, 0)
            wall += time.monotonic() - started
            process.returncode = os.waitstatus_to_exitcode(status)
            errors.seek(0)
            assert process.returncode == expected, errors.read().decode()
            cpu += used.ru_utime + used.ru_stime
            memory = max(memory, used.ru_maxrss / 1024)
    return wall, cpu, memory


def best(commands, source):
    return min((run(commands, source) for _ in range(runs)), key=lambda figures: figures[0])


def image_resize(expected=0):
    parts = [part.replace("{options}", OPTIONS).replace("{memory}", str(256 * MIB)) for part in shlex.split(command)]
    return [(parts, expected)]


def others(source):
    """Both programs make one size after the other, the small one from the large one, as image-resize does."""
    extension = "png" if source.name == "transparent.png" else "jpg"
    large, small = (folder / f"made-{name}.{extension}" for name in SIZES)
    resize = lambda side: ["-auto-orient", "-thumbnail", f"{side}x{side}>", "-quality", "82"]
    # It needs minutes for 67 megapixels.
    if source.suffix != ".png":
        parts = ["convert", str(source), *resize(1600), "-write", str(large), *resize(320), str(small)]
        yield "ImageMagick", [(parts, 0)]
    thumbnail = lambda start, side, end: (["vipsthumbnail", str(start), "--size", f"{side}x{side}>", "-o", str(end)], 0)
    yield "vipsthumbnail", [thumbnail(source, 1600, large), thumbnail(large, 320, small)]


def line(name, figures, limit="", held=True):
    wall, cpu, memory = figures
    print(f"{name:<36} {wall:>7.3f} s {cpu:>7.3f} s CPU {memory:>6.0f} MiB   {limit:<20} {'OK' if held else 'MISSED'}", flush=True)


def main():
    if not (folder / "bomb.png").exists():
        # In a process of its own: the memory of a child is measured from that of this process on.
        generating = multiprocessing.get_context("fork").Process(target=generate, args=(folder,))
        generating.start()
        generating.join()
    for name, (seconds, mebibytes) in LIMITS.items():
        source = folder / name
        figures = best(image_resize(), source)
        limit, held = "", True
        if seconds:
            limit = f"<= {seconds} s, {mebibytes} MiB"
            held = figures[0] <= seconds and figures[2] <= mebibytes
        line(f"{name}: image-resize", figures, limit, held)
        for program, commands in others(source):
            line(f"{name}: {program}", best(commands, source))
    wall, cpu, memory = best(image_resize(expected=1), folder / "bomb.png")
    line("bomb.png: refused", (wall, cpu, memory), "<= 0.01 s", wall <= 0.01)


command, folder, runs = sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3])
main()
