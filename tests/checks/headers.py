# SPDX-License-Identifier: Apache-2.0
"""Every header compiles alone, in C17 and (the public one) in C99 and C++: what it needs, it includes."""
import glob
import os
import subprocess
import sys
import tempfile

LIBRARIES = sorted(glob.glob("lib/*/")) + ["tools/ppctl/", "tools/ppctl/vectors/", "tools/device/",
                                           "daemon/common/", "sim/"]
passed = failed = 0


def compiles(header, language, flags, include):
    with tempfile.NamedTemporaryFile("w", suffix="." + language) as source:
        source.write(f'#include "{os.path.abspath(header)}"\nint main(void) {{ return 0; }}\n')
        source.flush()
        done = subprocess.run(["gcc", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", *flags, "-D_GNU_SOURCE",
                               "-DPP_RELEASE=0", *[f"-I{d}" for d in include], source.name],
                              text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode == 0, done.stdout


for folder in LIBRARIES:
    for header in sorted(glob.glob(folder + "*.h")):
        ok, out = compiles(header, "c", ["-std=gnu17"], [folder, *LIBRARIES])
        passed, failed = passed + ok, failed + (not ok)
        if not ok:
            print(f"FAILED {header}\n{out}")
for header in sorted(glob.glob("include/pp/*.h")):
    for language, flags in (("c", ["-std=c99", "-pedantic"]), ("cc", ["-x", "c++", "-std=c++11"])):
        ok, out = compiles(header, language, flags, ["include"])
        passed, failed = passed + ok, failed + (not ok)
        if not ok:
            print(f"FAILED {header} as {language}\n{out}")
print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0)
