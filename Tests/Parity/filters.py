#!/usr/bin/env python3
"""Compare Weir's filters with datatrove's, one group of rules at a time, on the same documents: which are dropped, the reason, the remaining
text, and the masks of e-mail and IP addresses. Differences are listed; more than one per thousand documents is a failure.

    Tests/Parity/filters.py --weir .build/release/weir documents.jsonl.zst [--documents 20000]

`--answers FILE` keeps datatrove's results, which take minutes, and reuses them.
"""
import argparse
import collections
import json
import multiprocessing
import os
import pathlib
import subprocess
import sys
import tempfile

GROUPS = {
    "gopher-repetition": "GopherRepetitionFilter", "gopher-quality": "GopherQualityFilter", "c4": "C4QualityFilter",
    "fineweb": "FineWebQualityFilter",
}
# datatrove's reasons as Weir names them.
NAMES = {
    "empty": "", "dup_para_frac": "gopher.duplicate_paragraphs", "dup_para_char_frac": "gopher.duplicate_paragraph_characters",
    "dup_line_frac": "gopher.duplicate_lines", "dup_line_char_frac": "gopher.duplicate_line_characters",
    **{f"top_{n}_gram": f"gopher.top_{n}_grams" for n in range(2, 5)},
    **{f"duplicated_{n}_n_grams": f"gopher.duplicate_{n}_grams" for n in range(5, 11)},
    "gopher_short_doc": "gopher.too_few_words", "gopher_long_doc": "gopher.too_many_words",
    "gopher_below_avg_threshold": "gopher.words_too_short", "gopher_above_avg_threshold": "gopher.words_too_long",
    "gopher_too_many_hashes": "gopher.too_many_hashes", "gopher_too_many_ellipsis": "gopher.too_many_ellipses",
    "gopher_too_many_bullets": "gopher.too_many_bullets", "gopher_too_many_end_ellipsis": "gopher.too_many_ellipsis_lines",
    "gopher_below_alpha_threshold": "gopher.too_few_alphabetic_words", "gopher_enough_stop_words": "gopher.too_few_stop_words",
    "lorem_ipsum": "c4.lorem_ipsum", "curly_bracket": "c4.curly_bracket", "too_few_sentences": "c4.too_few_sentences",
    "line_punct_ratio": "fineweb.few_punctuated_lines", "short_line_ratio": "fineweb.many_short_lines",
    "char_dup_ratio": "fineweb.repeated_line_characters", "list_ratio": "fineweb.list_like",
}


def answer(line):
    """What datatrove's filters say about a document: reason and text by group."""
    import numpy
    from datatrove.data import Document
    from datatrove.pipeline import filters
    from datatrove.pipeline.formatters.pii import PIIFormatter

    numpy.seterr(all="ignore")
    if not hasattr(answer, "steps"):
        answer.steps = {group: getattr(filters, name)() for group, name in GROUPS.items()}
    record = json.loads(line)
    found = {}
    # Weir judges a text alike whatever its line ends are.
    text = record["text"].replace("\r\n", "\n").replace("\r", "\n")
    for group, step in answer.steps.items():
        document = Document(text=text, id=record["id"])
        verdict = step.filter(document)
        reason = verdict[1] if isinstance(verdict, tuple) else ("" if verdict else "dropped")
        found[group] = [NAMES.get(reason, reason) or ("empty" if reason else ""), document.text if document.text != (record["text"] if group == "c4" else text) else None]
    # The formatter cycles through replacements. One formatter per document, because Weir restarts the cycle with each.
    found["pii"] = ["", PIIFormatter().format(record["text"])]
    return found


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--weir", required=True)
    arguments.add_argument("--documents", type=int, default=20000)
    arguments.add_argument("--answers", type=pathlib.Path)
    arguments.add_argument("--groups", nargs="*", default=[*GROUPS, "pii"])
    arguments.add_argument("--show", type=int, default=5, help="differences to list for each group")
    arguments.add_argument("paths", nargs="+")
    options = arguments.parse_args()

    def weir(*words):
        return subprocess.run([options.weir, *map(str, words), "--quiet"], check=True, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL).stdout

    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        lines = weir("read", *options.paths, "--plain").split(b"\n")[:-1][: options.documents]
        records = [json.loads(line) for line in lines]
        for number, record in enumerate(records):  # ids are not unique in concatenated files
            record["id"] = str(number)
        (folder / "documents.jsonl").write_text("".join(json.dumps({"id": r["id"], "text": r["text"]}) + "\n" for r in records))
        if options.answers and options.answers.exists():
            answers = [json.loads(line) for line in open(options.answers, encoding="utf8")]
        else:
            with multiprocessing.Pool(os.cpu_count()) as pool:
                answers = pool.map(answer, [json.dumps({"id": r["id"], "text": r["text"]}) for r in records], chunksize=64)
            if options.answers:
                options.answers.write_text("".join(json.dumps(a) + "\n" for a in answers))
        assert len(answers) == len(records), f"{len(answers)} answers for {len(records)} documents"
        failed = []
        for group in options.groups:
            rejects = folder / f"{group}.rejects"
            rules = ["--rules", "none", "--mask-pii"] if group == "pii" else ["--rules", group]
            kept = {d["id"]: d["text"] for d in map(json.loads, weir("filter", folder / "documents.jsonl", *rules, "--rejects", rejects, "--plain").splitlines())}
            dropped = {json.loads(r["record"])["id"]: r["reason"] for r in map(json.loads, open(rejects, encoding="utf8"))}
            decisions, reasons, texts = [], 0, 0
            kinds = collections.Counter()
            for record, theirs in zip(records, answers):
                reason, text = theirs[group]
                ours = dropped.get(record["id"], "")
                if bool(ours) != bool(reason):
                    decisions.append((record, ours, reason))
                    kinds[(ours or "kept", reason or "kept")] += 1
                elif ours != reason:
                    reasons += 1
                    kinds[(ours, reason)] += 1
                elif not ours and kept[record["id"]] != (record["text"] if text is None else text):
                    texts += 1
                    if texts <= options.show:
                        print(f"  {group}: the text of {record['id']} differs", file=sys.stderr)
            total = sum(bool(a[group][0]) for a in answers)
            share = 1 - len(decisions) / len(records)
            print(f"{group}: {len(records)} documents, datatrove drops {total}; {len(decisions)} decisions differ ({share:.3%} equal), "
                  f"{reasons} reasons, {texts} texts", flush=True)
            for (ours, theirs), count in kinds.most_common(8):
                print(f"  {count} × weir {ours}, datatrove {theirs}")
            for record, ours, theirs in decisions[: options.show]:
                print(f"    {record['id']} {record.get('metadata', {}).get('domain', '')}: {ours or 'kept'} | {theirs or 'kept'}: {record['text'][:60]!r}")
            if share < 0.999 or texts > len(records) // 1000:
                failed.append(group)
    if failed:
        sys.exit(f"filters: more than one document in a thousand differs: {', '.join(failed)}")


if __name__ == "__main__":
    main()
