"""A scalar reference, from docs/FORMATS.md ("Row order") alone, and a writer of datasets, packed rows and orders."""

import json
import pathlib
import random

import numpy as np

from weir_feed.checksum import xxh3

WORD = 2**64 - 1


def mix(z):
    z ^= z >> 30
    z = z * 0xBF58476D1CE4E5B9 & WORD
    z ^= z >> 27
    z = z * 0x94D049BB133111EB & WORD
    return z ^ z >> 31


def permutation(count, seed, stream):
    """The image of every value below `count`."""
    key = mix(mix(seed + 0x9E3779B97F4A7C15 & WORD) ^ (stream * 0xD1B54A32D192ED03 + 0x8CB92BA72F3D8DD7 & WORD))
    b = max(2, (count - 1).bit_length())
    h, rounds = (b + 1) // 2, 8 if b <= 12 else 4
    mask = 2**h - 1

    def bits(i):
        return mix(mix(key + i * 0x9E3779B97F4A7C15 & WORD) ^ i)

    def image(value):
        while True:
            left, right = value >> h, value & mask
            for k in range(rounds):
                left, right = right, left ^ (bits(k * 2**48 ^ right) & mask)
            value = left * 2**h + right
            if value < count:
                return value

    return image


class Order:
    def __init__(self, content):
        self.groups, draws = content["groups"], content["draws"]
        self.stages, self.phi, self.capacities, self.seed = (draws[name] for name in ("stages", "offsets", "capacities", "random_seed"))
        self.blocks = {}

    def limits(self, stage):
        return stage.get("capacities", self.capacities)

    def left(self, stage, low, high, before, n):
        mid = (low + high) // 2
        base, share = stage["base"][mid - 1], stage["shares"][mid - 1]
        most, right = sum(self.limits(stage)[low:mid]), sum(self.limits(stage)[mid:high])
        return min(max(base + ((n - before) * share + self.phi[mid - 1]) // 2**32, n - right), most)

    def draw(self, stage, number):
        """Group of a draw of a stage, and the number of the draw at its leaf."""
        low, high, before = 0, len(self.groups), stage["start"]
        while high - low > 1:
            mid = (low + high) // 2
            left = self.left(stage, low, high, before, number)
            if self.left(stage, low, high, before, number + 1) > left:
                high, number, before = mid, left, stage["base"][mid - 1]
            else:
                low, number, before = mid, number - left, before - stage["base"][mid - 1]
        return low, number

    def block(self, index, block):
        """First position of a block of a stage, its permutation, and the group and number of each draw."""
        if (index, block) not in self.blocks:
            stage = self.stages[index]
            first = stage["start"] + block * 256
            size = min(256, sum(self.limits(stage)) - first, stage.get("end", 1 << 62) - first)
            shuffled = permutation(size, self.seed ^ 0xB10C, index * 2**56 ^ block)
            draws = [self.draw(stage, number) for number in range(first, first + size)]
            self.blocks[index, block] = first, [shuffled(place) for place in range(size)], draws
        return self.blocks[index, block]

    def group_and_count(self, position):
        """The group at a position, and how many rows of it are at all positions before."""
        index = max(index for index, stage in enumerate(self.stages) if stage["start"] <= position)
        first, shuffled, draws = self.block(index, (position - self.stages[index]["start"]) // 256)
        group = draws[shuffled[position - first]][0]
        before = min(count for found, count in draws if found == group)
        return group, before + [draws[draw][0] for draw in shuffled[: position - first]].count(group)

    def row(self, position):
        """Source and row at a position."""
        group, count = self.group_and_count(position)
        rows = self.groups[group]["rows"]
        epoch, number = divmod(count, rows)
        number = permutation(rows, self.seed ^ 0xE90C, group * 2**42 ^ epoch)(number)
        return self.groups[group]["source"], self.groups[group]["first_row"] + number

    def counts(self, end):
        """[groups] rows at the positions before `end`."""
        counts = [0] * len(self.groups)
        for index, stage in enumerate(self.stages):
            stop = min([end] + [stage["start"] for stage in self.stages[index + 1 : index + 2]])
            for position in range(stage["start"], stop):
                counts[self.group_and_count(position)[0]] += 1
        return counts


def compile_draws(stages, capacities, seed):
    """`draws` of an order, from the weights of each stage."""
    generator = random.Random(seed)
    draws = {"stages": [], "offsets": [generator.randrange(2**32) for _ in capacities[1:]], "capacities": capacities, "random_seed": seed}
    order = Order({"groups": [{}] * len(capacities), "draws": draws})

    def visit(low, high, weights, counts, shares, base):
        if high - low == 1:
            return
        mid = (low + high) // 2
        left, right = sum(weights[low:mid]), sum(weights[mid:high])
        share = round(left / (left + right) * 2**32) if left + right > 0 else 2**31
        shares[mid - 1] = min(max(share, 1 if left > 0 else 0), 2**32 - 1 if right > 0 else 2**32)
        base[mid - 1] = sum(counts[low:mid])
        visit(low, mid, weights, counts, shares, base)
        visit(mid, high, weights, counts, shares, base)

    for start, weights in stages:
        shares, base = [0] * (len(capacities) - 1), [0] * (len(capacities) - 1)
        visit(0, len(capacities), weights, order.counts(start), shares, base)
        draws["stages"].append({"start": start, "shares": shares, "base": base})
    return draws


def write_json(path, content, seal):
    content = dict(content, **{seal: "0" * 16})
    text = json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False).encode() + b"\n"
    text = text.replace(b'"%s": "%s"' % (seal.encode(), b"0" * 16), b'"%s": "%s"' % (seal.encode(), xxh3(text).encode()))
    path.write_bytes(text)


def write_manifest(folder, format, counts, inputs, configuration, blocks=True):
    """Write a manifest and, unless `blocks` is false, the checksums of blocks; return the fingerprint."""
    for name in ("manifest.json", "blocks.xxh3"):
        (folder / name).unlink(missing_ok=True)

    def record(path):
        return {"name": path.relative_to(folder).as_posix(), "bytes": path.stat().st_size, "xxh3": xxh3(path.read_bytes())}

    files = [record(path) for path in sorted(folder.rglob("*")) if path.is_file()]
    content = {"configuration": configuration, "counts": counts, "files": files, "format": format, "inputs": inputs}
    fingerprint = xxh3(json.dumps(content, sort_keys=True, separators=(",", ":")).encode())
    if blocks:
        contents = [(folder / file["name"]).read_bytes() for file in files]
        sums = [int(xxh3(data[first : first + 65_536]), 16) for data in contents for first in range(0, len(data), 65_536)]
        np.array(sums, "<u8").tofile(folder / "blocks.xxh3")
        content["files"] = sorted([*files, record(folder / "blocks.xxh3")], key=lambda file: file["name"])
    write_json(folder / "manifest.json", dict(content, tool="test"), "manifest_xxh3")
    return fingerprint


def write_order(path, content):
    """Write an order with the fingerprint of its content."""
    lines = [f"order {content['order_version']}", f"sequence {content['sequence']}"]
    lines += [f"rows {source['rows_fingerprint']}" for source in content["sources"]]
    lines += [f"group {group['source']} {group['first_row']} {group['rows']}" for group in content["groups"]]
    draws = json.dumps(content["draws"], sort_keys=True, separators=(",", ":"))
    content["fingerprint"] = xxh3(("\n".join(lines) + draws).encode())
    write_json(pathlib.Path(path), content, "xxh3")


class Corpus:
    """A small dataset of random tokens, packed in every group by `concat`, with the tokens of its documents in memory."""

    def __init__(self, folder, groups=5, sequence=64, documents=300, vocabulary=4096, shards=3, seed=1, longest=150, used=None):
        self.folder, self.sequence, generator = pathlib.Path(folder), sequence, random.Random(seed)
        lengths = [generator.choice([1, 2, generator.randint(1, 40), generator.randint(1, longest)]) for _ in range(documents)]
        self.documents = [
            np.array([generator.randrange(1, used or vocabulary) for _ in range(length - 1)] + [0], np.int64) for length in lengths
        ]
        self.dataset, self.rows = self.folder / "dataset", self.folder / "rows"
        self.dataset.mkdir(parents=True)
        dtype, code = ("<u2", 8) if vocabulary < 65_500 else ("<i4", 4)
        ends = [documents * shard // shards for shard in range(shards + 1)]
        for shard in range(shards):
            own = self.documents[ends[shard] : ends[shard + 1]]
            sizes = np.array([len(tokens) for tokens in own])
            np.concatenate(own).astype(dtype).tofile(self.dataset / f"shard-{shard:05}.bin")
            index = b"MMIDIDX\0\0" + (1).to_bytes(8, "little") + bytes([code]) + len(own).to_bytes(8, "little") + (len(own) + 1).to_bytes(8, "little")
            pointers = (np.cumsum(sizes) - sizes) * np.dtype(dtype).itemsize
            index += sizes.astype("<i4").tobytes() + pointers.astype("<i8").tobytes() + np.arange(len(own) + 1, dtype="<i8").tobytes()
            (self.dataset / f"shard-{shard:05}.idx").write_bytes(index)
        tokens = sum(lengths)
        counts = {"documents": documents, "tokens": tokens, "bytes": 0, "shards": shards, "vocabulary": vocabulary, "end_of_document": 0}
        self.counts = [counts]

        # [rows] lists of (document, offset, count)
        self.packed, self.groups = [], []
        for group in range(groups):
            first, row, free = len(self.packed), [], sequence
            for document in range(group, documents, groups):
                offset, rest = 0, lengths[document]
                while rest:
                    count = min(rest, free)
                    row.append((document, offset, count))
                    offset, rest, free = offset + count, rest - count, free - count
                    if not free:
                        self.packed.append(row)
                        row, free = [], sequence
            if row:
                self.packed.append(row)
            own = self.packed[first:]
            self.groups.append({"name": f"g{group}", "rows": len(own), "tokens": sum(count for row in own for _, _, count in row)})
        self.rows.mkdir()
        np.cumsum([0] + [len(row) for row in self.packed]).astype("<u8").tofile(self.rows / "rows.u64")
        np.array([segment for row in self.packed for segment in row], "<u8").tofile(self.rows / "segments.u64")
        (self.rows / "groups.json").write_text(json.dumps(self.groups))
        self.counts.append({
            "sequence": sequence, "groups": groups, "rows": len(self.packed), "segments": sum(map(len, self.packed)), "tokens": tokens,
            "padding": len(self.packed) * sequence - tokens, "cut_documents": 0, "whole_document_tokens": 0,
        })
        self.seal()

    def seal(self, **options):
        """Write the manifests, of what the files are now."""
        of_dataset, of_rows = self.counts
        dataset = write_manifest(self.dataset, "weir.token-dataset.1", of_dataset, {"tokenizer": "0" * 16}, {"shard_tokens": 1 << 28}, **options)
        configuration = {"packing": "concat", "seed": "1"}
        self.fingerprints = (write_manifest(self.rows, "weir.packed-rows.1", of_rows, {"dataset": dataset}, configuration, **options), dataset)

    def order(self, name="order.json", stages=None, epochs=None, seed=1, from_position=0):
        """Write an order; return its path and content. `stages`: (start, weights)."""
        rows = [group["rows"] for group in self.groups]
        stages = stages or [(0, rows)]
        capacities = [count * epochs if epochs else 1 << 42 for count in rows]
        firsts = np.cumsum([0] + rows).tolist()
        groups = [dict(group, source=0, first_row=first) for group, first in zip(self.groups, firsts)]
        source = {"rows": "rows", "dataset": "dataset", "rows_fingerprint": self.fingerprints[0], "dataset_fingerprint": self.fingerprints[1]}
        draws = compile_draws(stages, capacities, seed)
        content = {
            "format": "weir.row-order.1", "order_version": 1, "sequence": self.sequence, "sources": [source], "groups": groups,
            "draws": draws, "from_position": from_position,
        }
        path = self.folder / name
        write_order(path, content)
        return str(path), content

    def row(self, number):
        """Tokens, starts of segments (padding included), whether the row has padding, and the document's token after the row."""
        tokens, starts = [], []
        for document, offset, count in self.packed[number]:
            starts.append(len(tokens))
            tokens += self.documents[document][offset : offset + count].tolist()
        size, (document, offset, count) = len(tokens), self.packed[number][-1]
        follows = self.documents[document][offset + count : offset + count + 1].tolist()
        if size < self.sequence:
            starts.append(size)
        return tokens + [0] * (self.sequence - size), starts, size, follows[0] if follows and size == self.sequence else -100
