# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs tshark with the plugin of this build, for the tests.

Wireshark loads nothing but the system's plugins as root, without a word, so as root tshark runs as nobody;
what it reads is copied to where nobody may read. A plugin with sanitizers needs their library loaded first.
"""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import sample

HERE = pathlib.Path(os.environ.get("srcdir", pathlib.Path(__file__).resolve().parent.parent.parent))
BUILD = pathlib.Path(os.environ.get("builddir", "."))
NOBODY = 65534
SKIP = 77
TIMEOUT_S = 120


def why_not():
    """Why the tests cannot run here; None when they can."""
    if not (BUILD / "wsplugins").is_dir():
        return "built without the Wireshark plugin"
    if not shutil.which("tshark"):
        return "no tshark"
    if os.geteuid() == 0 and not shutil.which("setpriv"):
        return "root, and no setpriv"
    return None


def in_distcheck():
    """Its build is the one of make check: what takes long is not done twice."""
    return "_build" in BUILD.resolve().parts


class Wireshark:
    """A folder with the plugin, and tshark with it. Use as a context."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="ccm-ws-"))
        self.plugins = self.folder / "plugins"
        shutil.copytree(BUILD / "wsplugins", self.plugins)  # links become files
        (self.folder / "home").mkdir()
        self.plugin, = self.plugins.glob("*/epan/ccm.so")
        self.sanitized = b"__asan_init" in self.plugin.read_bytes()
        self.opened()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)

    def opened(self):
        """Lets everybody read what is in the folder, and write to the home in it."""
        for path, folders, files in os.walk(self.folder):
            for name in ["."] + folders + files:
                os.chmod(os.path.join(path, name), 0o755)
        os.chmod(self.folder / "home", 0o777)

    def copy(self, path):
        """A copy that tshark may read."""
        to = self.folder / path.name
        shutil.copyfile(path, to)
        os.chmod(to, 0o644)
        return to

    def command(self, arguments, plugins=None, installed_data=sample.EVERY == 1):
        """Command and environment. Vendors, ports, enterprises and Lua, which the installed data add and no test
        of the plugin shows, take 40 % of a start: with CCM_SAMPLE=1, and to list the plugin, they are read."""
        prefix = []
        if os.geteuid() == 0:
            prefix = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        environment = dict(os.environ, HOME=str(self.folder / "home"), G_SLICE="",
                           WIRESHARK_PLUGIN_DIR=str(plugins or self.plugins),
                           WIRESHARK_EXTCAP_DIR=str(self.folder / "home"))  # each of them would be run, and some wait
        environment.pop("XDG_CONFIG_HOME", None)
        if not installed_data:
            environment["WIRESHARK_DATA_DIR"] = str(self.folder / "home")
        inside = []
        if self.sanitized:
            library = subprocess.run([os.environ.get("CC", "gcc").split()[0], "-print-file-name=libasan.so"],
                                     capture_output=True, check=True, text=True).stdout.strip()
            # tshark's own leaks are not ours to find
            inside = ["env", f"LD_PRELOAD={library}", "ASAN_OPTIONS=detect_leaks=0:abort_on_error=1",
                      "UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1"]
        return prefix + inside + ["tshark"] + [str(a) for a in arguments], environment

    def run(self, *arguments, **kwargs):
        """The finished process; text output."""
        command, environment = self.command(arguments, **kwargs)
        return subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, errors="replace", timeout=TIMEOUT_S, check=False, cwd=self.folder)

    def loaded(self):
        """Does tshark list the plugin? What all else depends on."""
        return bool(re.search(r"^ccm\.so\s", self.run("-G", "plugins", installed_data=True).stdout, re.M))


def fields_of(ws):
    """Names of the plugin's fields."""
    return sorted(set(re.findall(r"^F\t[^\t]*\t(ccm\.[^\t]*)", ws.run("-G", "fields").stdout, re.M)))


def keys_of(capture):
    """(options of ccmscope, options of tshark) for the keys that lie beside a capture."""
    stem = capture.with_suffix("")
    for log in (capture.with_name(capture.name + ".keys"), stem.with_suffix(".keys")):
        if log.exists():
            return ["--keylog", str(log)], log
    return [], None
