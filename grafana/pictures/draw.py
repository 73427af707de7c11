#!/usr/bin/python3
"""Draws what gather.py wrote: one PNG for each dashboard, by a browser without a window."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image, ImageChops

HERE = Path(__file__).resolve().parent
NODE = "/usr/bin/node"
# How many of a dashboard's sections are in its picture: all that fit on two screens.
SECTIONS = {"fleet": 2, "node": 4, "processes": 4, "model_server": 6}
SIZE = "1480,2600"
COLOURS = 160
MOST_BYTES = 300_000


def bundle(directory):
    """The page's program, Grafana's components in it."""
    command = [
        *(NODE, HERE / "node_modules/esbuild/bin/esbuild", HERE / "draw.tsx"),
        *("--bundle", "--minify", "--jsx=automatic", "--loader:.svg=dataurl"),
        *("--loader:.ttf=empty", "--log-level=error"),
        f"--alias:react-custom-scrollbars-2={HERE}/scrollbars.tsx",
        *('--define:process.env.NODE_ENV="production"', "--define:global=window"),
        f"--outfile={directory}/draw.js",
    ]
    subprocess.run(list(map(str, command)), check=True)


def page(name, gathered):
    data = json.dumps(gathered).replace("</", "<\\/")
    return (
        '<!DOCTYPE html><meta charset="utf-8"><link rel="stylesheet" href="draw.css">'
        "<style>body { margin: 0; font-family: Inter; background: #111217 }</style>"
        f'<div id="page"></div><script>window.gathered = {data};'
        f"window.sections = {SECTIONS[name]}</script>"
        '<script src="draw.js"></script>'
    )


def screenshot(directory, name):
    """The path of the picture of directory/name.html."""
    path = directory / f"{name}.png"
    command = ["chromium", "--headless", "--hide-scrollbars", "--allow-file-access-from-files"]
    command += ["--disable-gpu", f"--user-data-dir={directory}/profile", f"--window-size={SIZE}"]
    command += ["--virtual-time-budget=20000", f"--screenshot={path}"]
    command.append(f"file://{directory}/{name}.html")
    if os.geteuid() == 0:
        command.insert(1, "--no-sandbox")  # It refuses to have one as root.
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    if done.returncode or not path.exists():
        sys.exit(f"chromium drew no {name}: {done.stderr}")
    return path


def reduced(path, target):
    """Cuts off what is empty below, and keeps as few colours as look the same."""
    picture = Image.open(path).convert("RGB")
    empty = Image.new("RGB", picture.size, picture.getpixel((0, picture.height - 1)))
    bottom = ImageChops.difference(picture, empty).getbbox()[3]
    picture = picture.crop((0, 0, picture.width, min(picture.height, bottom + 12)))
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(target, optimize=True)
    if target.stat().st_size > MOST_BYTES:
        sys.exit(f"{target} has {target.stat().st_size} bytes, more than {MOST_BYTES}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("gathered", type=Path)
    parser.add_argument("images", type=Path)
    arguments = parser.parse_args()
    arguments.images.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        bundle(directory)
        for path in sorted(arguments.gathered.glob("*.json")):
            gathered = json.loads(path.read_text())
            (directory / f"{path.stem}.html").write_text(page(path.stem, gathered))
            reduced(screenshot(directory, path.stem), arguments.images / f"{path.stem}.png")


if __name__ == "__main__":
    main()
