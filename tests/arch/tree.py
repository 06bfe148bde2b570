"""The files of the source tree: what git tracks or would track, or everything where there is no git."""

import os
import subprocess


def paths(root):
    # A checkout of somebody else's user, or no checkout at all: walk.
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False) if os.path.exists(
            os.path.join(root, ".git")) else None
    if listed is not None and listed.returncode == 0:
        yield from filter(None, listed.stdout.decode().split("\0"))
        return
    for folder, below, files in os.walk(root):
        below[:] = [name for name in below if name not in (".git", "__pycache__") and not name.startswith("build")]
        for name in files:
            yield os.path.relpath(os.path.join(folder, name), root)


def read(root):
    """{path: text} with "/" between folders; bytes that are not UTF-8 are kept apart from everything else."""
    files = {}
    for path in paths(root):
        full = os.path.join(root, path)
        if os.path.isfile(full):
            with open(full, encoding="utf-8", errors="surrogateescape", newline="") as file:
                files[path.replace(os.sep, "/")] = file.read()
    return files
