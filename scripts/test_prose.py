#!/usr/bin/env python3
"""Tests of scripts/prose on small trees: scripts/test_prose.py"""

import contextlib
import importlib.machinery
import importlib.util
import io
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
LOADER = importlib.machinery.SourceFileLoader("prose", os.path.join(os.path.dirname(os.path.abspath(__file__)), "prose"))
PROSE = importlib.util.module_from_spec(importlib.util.spec_from_loader(LOADER.name, LOADER))
LOADER.exec_module(PROSE)
GOLDEN = "Tests/weirTests/Golden/"
ROOT = "OVERVIEW: Build training data.\n\nUSAGE: weir <subcommand>\n\nOPTIONS:\n  --version               Show the version.\n\n" \
    "DATA SUBCOMMANDS:\n  read                    Read documents.\n  cluster                 Cluster windows.\n\n  See 'weir help <subcommand>'.\n"
READ = "OVERVIEW: Read documents.\n\nEXAMPLES:\n{}\n\nUSAGE: weir read [<options>] [<path> ...]\n\nOPTIONS:\n" \
    "  -o, --output <file>     Write to a file.\n  --check/--no-check      Check the\n                          input.\n  --precision <precision> Digits.\n"
CLUSTER = "OVERVIEW: Cluster windows.\n\nUSAGE: weir cluster <subcommand>\n\nSUBCOMMANDS:\n  fit                     Fit a tree.\n"
FIT = "OVERVIEW: Fit a tree.\n\nEXAMPLES:\n  weir cluster fit data/tokens\n\nUSAGE: weir cluster fit <dataset>\n\n" \
    "OPTIONS:\n  --arity <n>             Children.\n"
EXAMPLE = "  weir read corpora/sample -o all.jsonl"


class Prose(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.root = tempfile.mkdtemp()
        subprocess.run(["git", "init", "-q", cls.root], check=True)

    @classmethod
    def tearDownClass(cls):
        os.chdir("/")
        shutil.rmtree(cls.root)

    def findings(self, files, example=EXAMPLE):
        """What the script finds in a repository with these files and a few help texts."""
        for name in set(os.listdir(self.root)) - {".git"}:
            path = os.path.join(self.root, name)
            shutil.rmtree(path) if os.path.isdir(path) else os.remove(path)
        helps = {"weir": ROOT, "weir-read": READ.format(example), "weir-cluster": CLUSTER, "weir-cluster-fit": FIT}
        for path, text in ({f"{GOLDEN}{name}.txt": text for name, text in helps.items()} | files).items():
            path = os.path.join(self.root, path)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        with contextlib.redirect_stdout(io.StringIO()) as output:
            code = PROSE.main(self.root)
        *lines, last = output.getvalue().splitlines()
        self.assertEqual(code, 1 if lines else 0)
        self.assertEqual(last == "prose: clean", not lines)
        return lines

    def check(self, path, text, *expected):
        """One finding for each of `expected`, "line: part of the message"."""
        lines = self.findings({path: text})
        self.assertEqual(len(lines), len(expected), lines)
        for line, part in zip(lines, expected):
            number, what = part.split(": ", 1)
            self.assertTrue(line.startswith(f"{path}:{number}: ") and what in line, f"{line!r} is not {part!r}")

    # Help

    def test_clean(self):
        self.assertEqual(self.findings({}), [])

    def test_columns_and_abstracts(self):
        help = READ.format(EXAMPLE).replace("Read documents.", "Read documents " + "from files, " * 4 + "folders\nand standard input.")
        help = help.replace("[<options>]", "[--output <file>] " * 4).replace("Write to a file.", "Write to a file, " * 4)
        self.check(GOLDEN + "weir-read.txt", help, "1: an abstract of 90 characters", "10: columns")

    def test_abstract_of_72(self):
        text = FIT.replace("Fit a tree.", "Fit\n" + "a" * 67 + ".")
        self.check(GOLDEN + "weir-cluster-fit.txt", text)
        self.check(GOLDEN + "weir-cluster-fit.txt", text.replace("aa", "aaa", 1), "1: an abstract of 73")

    def test_examples_that_can_be_pasted(self):
        for example in (EXAMPLE, "  mpirun -n 4 weir read a", "  weir read a \\\n    --check \\\n    -o b",
                        "  weir read a |\n    weir read\n\n  weir read b"):
            self.assertEqual(self.findings({}, example), [], example)

    def test_examples_that_cannot(self):
        for example in ("  read a", "  weir read a \\\n    -o b\n    --check", "  weir read a\n  | weir read", "  weir read … -o a", "  weir read <path>",
                        "  weir read a --precision 2\n--check"):  # wrapped by the parser
            lines = self.findings({}, example)
            self.assertEqual(len(lines), 1, lines)
            self.assertIn("the example cannot be pasted", lines[0])

    def test_every_command_has_examples_and_a_golden_help(self):
        self.check(GOLDEN + "weir-cluster-fit.txt", FIT.replace("EXAMPLES:", "Example:"), "1: no `EXAMPLES:` block")
        self.check(GOLDEN + "weir-cluster.txt", CLUSTER + "  show                    Show a tree.\n", "1: `show` has no golden help text")

    # Wording

    def test_phrases(self):
        self.check("README.md", "Ten bits a byte.\nThe run goes on\nwhere it was. A loss that is no number.\n",
                   '1: "bits a byte"; write: … per …', '2: "goes on where"', '3: "is no number"')

    def test_no_phrases(self):
        self.check("README.md", "Two passes over them. There is no tree, and it is no longer a token. Is it a byte? It's a step; told apart. "
                   "Use a byte's value. Bytes a token stands for; the file a document had. A return to the last checkpoint.\nStop unless told otherwise.\n"
                   "Four passes over any cluster; a good checkpoint. `no number` is a value; no number depends on it.\n")

    def test_code_is_not_read(self):
        self.check("Sources/A/a.swift", 'let anew = colour\n/// Made anew\nfail("foretold \\(colour("x", anew)) \\(a ?? "b")")\n',
                   '2: "anew"', '3: "foretold"')
        self.check("Sources/A/a.c", "int anew = '\"'; // anew\nint colour;\n/* one\n * goes on\n * where */\n", '1: "anew"', '4: "goes on where"')
        self.check("Sources/A/a.swift", '"""\nIt is\nanew: \\(anew)\n"""\nlet anew = 1  // "\nlet colour = 2\n', '3: "anew"')

    def test_spelling(self):
        self.check("README.md", "Initialise, re-normalised, ModelInitialisation, honours, labelled, licence.\n",
                   '1: write "initialize"', '1: write "initialization"', '1: write "honors"',
                   '1: write "labeled"', '1: write "license"', '1: write "normalized"')

    def test_american(self):
        self.check("README.md", "Otherwise raise promised, precise, supervised noise; advises exercises, comprises; "
                   "analyses; four hours; https://a.org/colour\n")

    # Links

    def test_links(self):
        text = "# A b: `c` & d_e\n# Twice\n# Twice\n[x](#a-b-c--d_e) [y](docs/B.md#über-uns) [z](#twice-1) ![i](docs) [w](https://a.org#x)\n" \
            "```\n[no](gone.md)\n```\n`[no](gone.md)`\n[a](gone.md) [b](#twice-2)\n[c](docs/B.md#x \"title\")\n[r]: gone/r.md\n"
        files = {"README.md": text, "docs/B.md": "## Über uns ##\n[up](../README.md) [out](../../a.md)\n"}
        lines = self.findings(files)
        self.assertEqual([line.split(";")[0] for line in lines], [
            "README.md:9: no file `gone.md`", "README.md:9: no heading `#twice-2` in README.md", "README.md:10: no heading `#x` in docs/B.md",
            "README.md:11: no file `gone/r.md`", "docs/B.md:2: no file `../a.md`"])

    def test_paths(self):
        self.check("README.md", "See `docs/GONE.md` and `Tests/weirTests/Golden/weir.txt`, `Tests/<Target>Tests`, `Sources/*/a.swift`, `docs/`, "
                   "`docs/results/*.md`, `docs/decisions/NNN-title.md`, `docs/a-*.md`.\n",
                   "1: no file `docs/GONE.md`")

    # Commands and flags

    def test_inline_commands(self):
        self.check("README.md", "`weir read PATH… --check`, `weir cluster\nfit --arity 2`, `weir read --no-check|--check`, `weir help read`, `weir cluster fit …`, `weir …`\n"
                   "`weir reed`, `weir cluster fit/show x`, `weir read --arity 3`, `weir read -q`, `mpirun -n 2 weir read --chekc x`\n",
                   "3: `weir cluster` has no subcommand `show`", "3: `weir read` has no flag `--arity`", "3: `weir read` has no flag `--chekc`",
                   "3: `weir read` has no flag `-q`", "3: `weir` has no subcommand `reed`")

    def test_blocks(self):
        text = "Type\n\n    weir read a | weir cluster fit --deep && FOO=1 weir reed  # weir --x\n\n```sh\n$ .build/release/weir read a \\\n" \
            "  --flat | sort --unique\nweir read a | cluster fit --wide\nmake --x\n```\n"
        self.check("README.md", text, "3: has no flag `--deep`", "3: no subcommand `reed`", "6: has no flag `--flat`", "8: has no flag `--wide`")

    def test_recipes(self):
        recipe = "run: runs/a\nset:\n  # why\n  all: --check --fast\nsteps:\n  - name: a\n    do: read a | cluster fit {run}/x --arity 3\n" \
            "  - do: >-\n      read {all}\n      | cluster show\n    says: Read\n"
        expected = "no subcommand `show`", "has no flag `--fast`"
        self.check("corpora/a.yaml", recipe, *(f"8: {part}" for part in expected))
        self.check("docs/A.md", f"```yaml\n{recipe}```\n", *(f"9: {part}" for part in expected))

    def test_history_is_left_alone(self):
        self.check("CHANGELOG.md", "`weir reed --gone` and docs/GONE.md are gone.\n")

    def test_flags(self):
        self.check("Sources/A/a.swift", '/// As --output does, and mpirun --mca.\nfail("--betas", "not --no-check or --arity=3")\nlet css = "--ink:#111; var(--ink)"\n',
                   "2: no help has `--betas`")
        self.check("docs/A.md", "Use `--arity` or `--betas 3`, not `sort --unique`.\n", "1: no help has `--betas`")


if __name__ == "__main__":
    unittest.main()
