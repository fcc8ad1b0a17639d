"""Prepare this folder: uv, then the two environments. Runs on any Python 3.6 or newer, needs nothing else.

    python3 scripts/setup.py [--dev | --bench]

uv (https://docs.astral.sh/uv/) is put into .tools/ here, pinned and checked by its hash; nothing outside this folder
changes, apart from uv's own download cache. Done steps are skipped, so that running it again takes a second.
"""

import glob
import hashlib
import io
import json
import os
import platform
import shutil
import ssl
import subprocess
import sys
import urllib.request
import zipfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
UV_VERSION = "0.13.9"
TOOLS = os.path.join(ROOT, ".tools")
UV = os.path.join(TOOLS, "bin", "uv")
PROGRESS = ("Using", "Creating", "Downloading", "Building", "Built", "Prepared", "Installed")


def say(words):
    print("careline setup: " + words)
    sys.stdout.flush()


def run(command, **more):
    return subprocess.call(command, cwd=ROOT, **more)


def uv_is_right():
    if not os.path.exists(UV):
        return False
    out = subprocess.run([UV, "--version"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.decode()
    return out.startswith("uv " + UV_VERSION)


def uv_by_pip():
    """pip knows about mirrors and certificates of this machine; a Python without pip has none."""
    target = os.path.join(TOOLS, "uv-package")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps",
           "--upgrade", "--target", target, "uv==" + UV_VERSION]
    with open(os.devnull, "w") as nowhere:
        if subprocess.call(pip, stdout=nowhere, stderr=nowhere) != 0:
            return False
    return place(os.path.join(target, "bin", "uv"))


def uv_by_download():
    """The wheel itself from the Python package index, checked against the hash that the index states."""
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine().lower(), platform.machine().lower())
    system = "macosx" if sys.platform == "darwin" else "manylinux"
    with urllib.request.urlopen("https://pypi.org/pypi/uv/%s/json" % UV_VERSION, timeout=60) as answer:
        files = json.loads(answer.read().decode())["urls"]
    for file in files:
        if system in file["filename"] and machine in file["filename"] and file["filename"].endswith(".whl"):
            with urllib.request.urlopen(file["url"], timeout=300) as answer:
                wheel = answer.read()
            if hashlib.sha256(wheel).hexdigest() != file["digests"]["sha256"]:
                sys.exit("careline setup: the download of uv is damaged. Try again.")
            with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
                name = [n for n in archive.namelist() if n.endswith("/scripts/uv")][0]
                loose = os.path.join(TOOLS, "uv.download")
                with open(loose, "wb") as out:
                    out.write(archive.read(name))
            return place(loose)
    return False


def place(binary):
    if not os.path.exists(binary):
        return False
    if not os.path.isdir(os.path.dirname(UV)):
        os.makedirs(os.path.dirname(UV))
    shutil.copyfile(binary, UV + ".new")
    os.chmod(UV + ".new", 0o755)
    os.rename(UV + ".new", UV)
    return True


def get_uv():
    if uv_is_right():
        return
    say("getting uv %s into .tools/ ..." % UV_VERSION)
    if not os.path.isdir(TOOLS):
        os.makedirs(TOOLS)
    try:
        done = uv_by_pip() or uv_by_download()
    except (OSError, ValueError, KeyError, IndexError) as error:
        done = False
        say("that failed: %s" % error)
    if not done:
        sys.exit("careline setup: uv could not be fetched from the Python package index. Check the network (and a\n"
                 "proxy, HTTPS_PROXY), or put uv %s at %s yourself, and run this again." % (UV_VERSION, UV))


def sync(project, what, groups):
    """Make the environment of `project` what its lock file says. uv checks that in a fraction of a second."""
    folder = os.path.join(ROOT, project)
    fresh = not os.path.isdir(os.path.join(folder, ".venv"))
    if fresh:
        say("installing %s (once; a few minutes on a slow line) ..." % what)
    # The project's own environment is meant, whatever environment is active in the user's shell.
    env = {k: v for k, v in os.environ.items() if k not in ("VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT", "PYTHONPATH",
                                                             "PYTHONHOME")}
    # The machine's own list of trusted certificates, where it has one: a clinic's network may bring its own authority.
    if ssl.get_default_verify_paths().cafile or glob.glob("/etc/ssl/certs/*.crt"):
        env.setdefault("UV_SYSTEM_CERTS", "true")
    command = [UV, "sync", "--frozen", "--project", folder] + groups
    # Probing a pyenv shim of an inactive version prints a page of warnings: progress is let through, the rest is
    # kept and shown only when something goes wrong.
    process = subprocess.Popen(command, cwd=folder, env=env, stderr=subprocess.PIPE)
    everything = []
    for line in iter(process.stderr.readline, b""):
        words = line.decode("utf-8", "replace").rstrip()
        everything.append(words)
        if fresh and words.strip().split(" ")[0] in PROGRESS:
            say("  " + words.strip())
    if process.wait() != 0:
        sys.stderr.write("\n".join(everything) + "\n")
        sys.exit("careline setup: installing %s failed, see above. Nothing was lost: run it again." % what)


def main():
    # running needs no test tools, and leaves them where they are; benchmarks need their peers as well
    groups = ["--no-dev", "--inexact"]
    if "--dev" in sys.argv[1:] or "--bench" in sys.argv[1:]:
        groups = []
    peers = ["--group", "bench"] if "--bench" in sys.argv[1:] else []
    get_uv()
    sync("", "the application", groups + peers)
    sync("rasa_server", "the dialogue engine (Rasa 3.6 on Python 3.10)", groups)
    if not glob.glob(os.path.join(ROOT, "models", "*.tar.gz")):
        say("the assistant will be trained at the first start")


if __name__ == "__main__":
    main()
