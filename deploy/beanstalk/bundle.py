"""Makes the bundle for Elastic Beanstalk: bundle.py IMAGE RDS_CA OUTPUT [RULES]

IMAGE is the name of the image with its version; RDS_CA the file with the certificates of RDS; RULES a file of
processing rules. Equal files make a bundle that is equal byte for byte.
"""

import re
import ssl
import sys
import zipfile
from pathlib import Path

DEPLOY = Path(__file__).resolve().parents[1]


def bundle(image: str, authorities: Path, output: Path, rules: Path) -> list[str]:
    """Writes the bundle. Returns the names in it."""
    if not re.fullmatch(r"[\w.\-/:]+(:[\w.-]+|@sha256:[0-9a-f]{64})", image) or image.endswith(":latest"):
        sys.exit(f"IMAGE={image}: name a version: REGISTRY/upload-broker:1.2.3")
    try:
        pem = authorities.read_text()
        ssl.create_default_context(cadata=pem)
    except (OSError, ssl.SSLError, UnicodeDecodeError) as error:
        sys.exit(
            f"RDS_CA={authorities}: not a file with certificates ({error}). Download the global bundle: see "
            "docs/src/guides/operators/deploy/beanstalk.md"
        )
    compose = (DEPLOY / "beanstalk/docker-compose.yml").read_text().replace("image: BROKER_IMAGE", f"image: {image}")
    files = {
        "docker-compose.yml": compose,
        "rds.pem": pem,
        "rules.toml": rules.read_text(),
        "nginx/upload-broker.conf": (DEPLOY / "nginx/upload-broker.conf").read_text(),
    }
    for file in sorted((DEPLOY / "nginx/places/beanstalk").glob("*.conf")):
        files[f"nginx/upload-broker/{file.name}"] = file.read_text()
    output.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            # Readable by the user of the container, whatever the umask of this machine is.
            entry = zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0))
            entry.external_attr = 0o100644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, text)
    return list(files)


if __name__ == "__main__":
    if len(sys.argv) not in (4, 5) or not all(sys.argv[1:4]):
        sys.exit("Usage: make beanstalk-bundle IMAGE=REGISTRY/upload-broker:VERSION RDS_CA=FILE [RULES=FILE]")
    given_rules = Path(sys.argv[4]) if sys.argv[4:] and sys.argv[4] else DEPLOY / "docker/rules.toml"
    for written in bundle(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), given_rules):
        print(f"  {written}")
    print(f"{sys.argv[3]}")
