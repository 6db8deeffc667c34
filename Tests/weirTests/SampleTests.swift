import Foundation
import Testing

/// Every method of `weir sample`, from the command to the batches.
@Suite struct SampleTests {
  /// Checksums of all files. `cksum` reads megabytes of trees faster than a debug build.
  private func files(_ binary: Binary) throws -> String {
    let found = try binary.shell("find . -type f ! -name '.stream-*' ! -path '*/rows/*' -exec cksum {} + | sort -k 3")
    #expect(found.code == 0 && found.text.contains("docs.jsonl"), "\(found.errors)")
    return found.text
  }

  @Test func everyMethodMakesAMixtureThatDraws() throws {
    try inFolder { binary in
      try binary.useMade()
      let common = "--seed-data docs.jsonl --tokens 3000 --json --quiet"
      let ways = [
        "crisp": "--tree tree --depth auto --smoothing 1 --bootstrap 10", "uniform": "--tree tree", "specialist": "",
        "dsir": "--minimum-words 10 --scores scores.npy", "classifier": "--tree tree",
        "ced": "--proxy run --specialist run --score-tokens 8",
        "doge": "--tree tree --proxy run --proxy-steps 1 --weight-rate 5",
      ]
      for (method, flags) in ways.sorted(by: { $0.key < $1.key }) {
        let line = "weir sample set --method \(method) \(flags) \(common)"
        let before = try files(binary)
        let dry = try binary.shell("\(line) --dry-run")
        #expect(dry.code == 0, "\(method): \(dry.errors)")
        #expect(try files(binary) == before, "\(method) --dry-run writes nothing")
        let made = try binary.shell("\(line) -o \(method).json && weir verify \(method).json --quiet")
        #expect(made.code == 0, "\(method): \(made.errors)")
        let first = try files(binary)
        let text = String(decoding: try #require(binary.read("\(method).json")), as: UTF8.self)
        #expect(text.contains("\"method\" : \"\(method)\"") && text.contains("\"tool\" : \"weir"))
        let feed = "weir feed set --mixture \(method).json --sequence 32 --batch 4 --steps 2"
        let batches = try binary.shell(feed)
        #expect(batches.code == 0 && batches.output.count > 4 * 32 * 4 * 2 * 3, "\(method): \(batches.errors)")
        #expect(try binary.shell("\(line) -o \(method).json").code == 0)
        #expect(try files(binary) == first, "\(method) twice")
      }
      let scores = try #require(binary.read("scores.npy"))
      #expect(scores.starts(with: [0x93] + Array("NUMPY".utf8)) && scores.count > 128 && scores.count % 8 == 0)
      let verified = try binary.weir("verify", "set", "--quiet")
      #expect(verified.code == 0, "\(verified.errors)")
      // The artifacts that a mixture refers to must exist.
      #expect(try binary.shell("rm -r set/selections/dsir set/seeds").code == 0)
      expectFailure(try binary.weir("feed", "set", "--mixture", "dsir.json"), naming: ["dsir.json", "not assigned to"])
      expectFailure(try binary.weir("feed", "set", "--mixture", "specialist.json"), naming: ["specialist.json", "seed"])
    }
  }

  @Test func mixturesOfOneNameKeepTheirOwn() throws {
    try inFolder { binary in
      try binary.useMade()
      let made = try binary.shell(
        """
        mkdir a b && weir sample set --method dsir --keep 0.2 --seed-data docs.jsonl --tokens 3000 --quiet --minimum-words 10 -o a/mix.json &&
        weir sample set --method dsir --keep 0.5 --seed-data docs.jsonl --tokens 3000 --quiet --minimum-words 10 -o b/mix.json &&
        weir feed set --mixture a/mix.json --steps 1 | wc -c && weir feed set --mixture "$PWD/b/mix.json" --steps 1 | wc -c && ls set/selections
        """)
      #expect(made.code == 0, "\(made.errors)")
      #expect(made.text.hasSuffix("a+mix\nb+mix\n"), "\(made.text)")
    }
  }

  /// Every window is assigned to some leaf, so text that the corpus has nothing in common with must be found by its letters.
  @Test func seedsInAnotherScriptAreRefused() throws {
    try inFolder { binary in
      try binary.useMade()
      let texts = ["ko": "안녕하세요. 저는 한국어로 글을 쓰는 사람입니다.", "el": "Σήμερα ο καιρός είναι πολύ καλός.", "emoji": "😀😃😄😁 😆😅 a"]
      for (name, text) in texts {
        try binary.write("\(name).jsonl", String(repeating: "{\"text\":\"\(text)\"}\n", count: 200))
        let sample = try binary.weir("sample", "set", "--tree", "tree", "--seed-data", "\(name).jsonl", "--tokens", "3000", "-o", "m.json")
        expectFailure(sample, naming: ["\(name).jsonl", "only 0.0 % of its letter pairs occur in the clusters it is assigned to"])
        for method in ["dsir", "classifier"] {
          let sample = try binary.shell("weir sample set --method \(method) --seed-data \(name).jsonl --tokens 3000 -o m.json")
          expectFailure(sample, naming: ["\(name).jsonl", "only 0.0 % of its letter pairs occur in the corpus"])
        }
      }
      // `assign` has no seed that it could refuse: it warns.
      let korean = try binary.weir("assign", "ko.jsonl", "--tree", "tree", "--tokenizer", "tok", "-o", "assigned.jsonl")
      let told = korean.text + korean.errors
      #expect(told.contains("warning: the tree's embedder knows only") && !told.contains("changed nothing"), "\(told)")
      let known = try binary.weir("sample", "set", "--tree", "tree", "--seed-data", "docs.jsonl", "--tokens", "3000", "--dry-run", "--json")
      #expect(known.text.contains("\"known_letter_pairs\":1,"), "\(known.text) \(known.errors)")
      let dsir = try binary.shell("weir sample set --method dsir --minimum-words 10 --seed-data docs.jsonl --tokens 3000 --dry-run --json")
      #expect(dsir.text.contains("\"known_letter_pairs\":1,"), "\(dsir.text) \(dsir.errors)")
    }
  }

  /// Scores are computed once for all keep fractions; scores of another configuration are never reused.
  @Test func scoresAreKept() throws {
    try inFolder { binary in
      try binary.useMade()
      let sample = "weir sample set --method ced --proxy run --specialist run --seed-data docs.jsonl --tokens 3000"
      let first = try binary.shell("\(sample) --score-tokens 8 --keep 0.2 -o a.json && ls set/scores")
      #expect(first.code == 0 && !first.text.contains("reusing") && first.text.contains("ced-"), "\(first.errors)")
      let second = try binary.shell("\(sample) --score-tokens 8 --keep 0.5 -o b.json && \(sample) --score-tokens 8 --keep 0.5 -o c.json")
      let told = (second.text + second.errors).components(separatedBy: "reusing the scores in set/scores/ced-").count - 1
      #expect(second.code == 0 && told == 2, "\(second.text) \(second.errors)")
      #expect(try binary.shell("ls set/scores | wc -l").text == "1\n")
      // Cached scores select the same windows as new ones.
      let fresh = try binary.shell(
        "rm -r set/scores && cp b.json old.json && \(sample) --score-tokens 8 --keep 0.5 -o b.json && cmp b.json old.json")
      #expect(fresh.code == 0, "\(fresh.text) \(fresh.errors)")
      let other = try binary.shell("\(sample) --score-tokens 4 --keep 0.5 -o b.json && ls set/scores | wc -l")
      #expect(other.code == 0 && other.text.hasSuffix("2\n") && !other.text.contains("reusing"), "\(other.errors)")
      let damaged = try binary.shell(
        "for f in set/scores/*/scores.safetensors; do printf x | dd of=$f bs=1 seek=200 conv=notrunc status=none; done; \(sample) --score-tokens 4 --quiet -o d.json"
      )
      expectFailure(damaged, naming: ["set/scores/ced-", "damaged", "remove it"])
    }
  }
}
