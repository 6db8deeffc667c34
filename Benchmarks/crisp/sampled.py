"""What a mixture samples, by document labels that no method sees: explains why one method does better than another."""
import array
import json
import struct


class Windows:
    """The windows of a dataset: their tokens and their documents' labels."""

    def __init__(self, dataset):
        self.folder, self.tokens, self.labels = dataset, [], []
        for shard in sorted(dataset.glob("shard-*.idx")):
            head = shard.read_bytes()
            count = struct.unpack("<Q", head[18:26])[0]
            lengths = array.array("i", head[34 : 34 + 4 * count])
            for length, line in zip(lengths, open(shard.with_suffix(".docs.jsonl"), encoding="utf8")):
                row = json.loads(line)
                label = json.loads("{" + row.get("members", "") + "}").get("metadata", {}).get("domain") or row.get("source")
                for start in range(0, length, 1024):
                    self.tokens.append(min(1024, length - start))
                    self.labels.append(label)

    def sampled(self, mixture, assignment, domain):
        """The share of sampled tokens labeled with the domain, and the effective sample size in windows, 1/Σp². None if no window has the label."""
        if domain not in self.labels:
            return None
        data = (self.folder / assignment / "leaves.safetensors").read_bytes()
        size = struct.unpack("<Q", data[:8])[0]
        first, last = json.loads(data[8 : 8 + size])["leaf"]["data_offsets"]
        leaves = array.array("I", data[8 + size + first : 8 + size + last])
        weights = [cluster["weight"] for cluster in json.loads(mixture.read_text())["clusters"]]
        held = [0] * len(weights)
        for leaf, tokens in zip(leaves, self.tokens):
            held[leaf] += tokens
        chances = [weights[leaf] / max(1, held[leaf]) * tokens for leaf, tokens in zip(leaves, self.tokens)]
        own = sum(chance for chance, label in zip(chances, self.labels) if label == domain)
        return own / sum(chances), sum(chances) ** 2 / sum(chance * chance for chance in chances)
