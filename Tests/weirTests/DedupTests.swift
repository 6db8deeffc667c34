import Foundation
import Testing

/// `weir dedup` when it is killed, and with its stages run separately.
@Suite struct DedupTests {
  /// Documents with duplicates, near-duplicates and repeated paragraphs.
  private func write(_ binary: Binary, _ count: Int) throws {
    let lines = Samples.lines(count, words: 40)
    let more = lines.prefix(count / 2).enumerated().map { $1.replacing(" é.", with: $0 % 3 == 0 ? " é." : "\\n\\nThe end of all.") }
    try binary.write("docs.jsonl", (lines + more).joined(separator: "\n") + "\n")
  }

  @Test(arguments: ["--exact --memory 1", "--paragraphs --memory 1", "--fuzzy --memory 1"])
  func killedAtAnyMomentAndRunAgain(flags: String) throws {
    try inFolder { binary in
      try write(binary, 1_500)
      let command = "dedup docs.jsonl \(flags) --rejects rejects.jsonl -o out.jsonl.zst --quiet"
      let result = try binary.shell(
        """
        mkdir tmp; export TMPDIR=$PWD/tmp; RANDOM=\(flags.utf8.count)
        "\(Binary.path)" \(command) && mkdir whole && mv out.jsonl.zst rejects.jsonl whole || exit 9
        mkfifo pause
        for wait in 0.0 0.0 0.1 0.1 0.2 0.3; do
          "\(Binary.path)" \(command) --threads $((RANDOM % 3 + 1)) & run=$!
          read -rt $wait$((RANDOM % 10)) <> pause
          kill -9 $run 2>/dev/null; wait $run; echo $?
          # What is there under its name is whole.
          for name in out.jsonl.zst rejects.jsonl; do [ -e $name ] && { cmp $name whole/$name || exit 8; rm $name; }; done
        done
        "\(Binary.path)" \(command) && cmp out.jsonl.zst whole/out.jsonl.zst && cmp rejects.jsonl whole/rejects.jsonl && ls -A tmp
        """)
      #expect(result.code == 0, "\(result.text) \(result.errors)")
      let codes = result.text.split(separator: "\n")
      #expect(codes.count == 6 && codes.contains("137"), "\(codes)")
      #expect(binary.names == ["docs.jsonl", "out.jsonl.zst", "pause", "rejects.jsonl", "tmp", "whole"])
      #expect(try #require(binary.read("whole/rejects.jsonl")).count > 1_000)
    }
  }

  @Test func textsThatDifferInNumbersOrSymbolsStay() throws {
    try inFolder { binary in
      let problem = "Ann has 12 apples and gives 5 of them to Bob. How many apples does Ann have now?"
      let problems = [problem, problem.replacing("12", with: "31").replacing("5", with: "9")]
      let russian = "Мой край: май, рай и бой. Ещё йод и ёж, чай и лай, строй и рой."
      for (texts, flags, count) in [
        (["x != y", "x == y", "C++", "C#", "c"], "", 5), (problems, "--fuzzy --threshold 1", 2),
        (problems, "--fuzzy --threshold 1 --ignore-numbers", 1), (["12 + 30 = 42", "99 * 7 = 693"], "--fuzzy --threshold 1", 2),
        ([russian, russian.decomposedStringWithCanonicalMapping.uppercased()], "--fuzzy", 1),
      ] {
        try binary.write("docs.jsonl", texts.map { "{\"text\":\"\($0)\"}" }.joined(separator: "\n"))
        let result = try binary.run(["dedup", "docs.jsonl", "--plain"] + flags.split(separator: " ").map(String.init))
        #expect(result.code == 0, "\(result.errors)")
        #expect(result.text.split(separator: "\n").count == count, "\(texts) \(flags)")
      }
    }
  }

  /// The values of a two-dimensional 64-bit array in numpy's format.
  private func array(_ bytes: [UInt8]) throws -> [[UInt64]] {
    let header = 10 + Int(bytes[8]) + Int(bytes[9]) << 8
    let text = String(decoding: bytes[10..<header], as: UTF8.self)
    let shape = try #require(text.firstMatch(of: /'descr': '<u8'.*'shape': \(([0-9]+), ([0-9]+)\)/))
    let (rows, columns) = (try #require(Int(shape.1)), try #require(Int(shape.2)))
    #expect(header % 64 == 0 && bytes.count == header + 8 * rows * columns)
    return bytes.withUnsafeBytes { bytes in
      (0..<rows).map { row in
        (0..<columns).map { bytes.loadUnaligned(fromByteOffset: header + 8 * (row * columns + $0), as: UInt64.self).littleEndian }
      }
    }
  }

  @Test func theHalvesGiveWhatTheWholeGives() throws {
    try inFolder { binary in
      try write(binary, 120)
      #expect(try binary.weir("dedup", "docs.jsonl", "--fuzzy", "-o", "whole.jsonl", "--report", "whole.json").code == 0)
      // What an external engine does: concatenate the signatures of parts of the corpus, and group documents that collide in a band.
      var signatures: [[UInt64]] = []
      let lines = try #require(binary.read("docs.jsonl")).split(separator: 0x0A)
      for (name, part) in [("a", lines[..<70]), ("b", lines[70...])] {
        try binary.write("\(name).jsonl", Array(part.joined(separator: [0x0A])))
        let made = try binary.weir("dedup", "\(name).jsonl", "--fuzzy", "--signatures", "\(name).npy", "--json")
        #expect(made.code == 0 && made.text.contains("dedup.signatures"), "\(made.errors)")
        signatures += try array(try #require(binary.read("\(name).npy")))
      }
      #expect(signatures.count == 180 && signatures.allSatisfy { $0.count == 112 })
      var buckets: [String] = []
      for band in 0..<14 {
        let groups = Dictionary(grouping: signatures.indices) { Array(signatures[$0][band * 8..<band * 8 + 8]) }
        buckets += groups.values.filter { $0.count > 1 }.map { "\($0.shuffled())" }
      }
      try binary.write("buckets.jsonl", buckets.joined(separator: "\n") + "\n")
      let halves = try binary.weir(
        "dedup", "docs.jsonl", "--fuzzy", "--buckets", "buckets.jsonl", "-o", "halves.jsonl", "--report", "halves.json")
      #expect(halves.code == 0, "\(halves.errors)")
      #expect(binary.read("halves.jsonl") == binary.read("whole.jsonl"))
      func groups(_ name: String) throws -> [String: Any] {
        let report = try JSONSerialization.jsonObject(with: Data(try #require(binary.read(name)))) as? [String: Any]
        return try #require(report?["groups"] as? [String: Any])
      }
      #expect(try groups("halves.json") as NSDictionary == groups("whole.json") as NSDictionary)
      #expect(try !groups("whole.json").isEmpty)

      for (text, said) in [
        ("[0, 180]", "buckets.jsonl:2"), ("[0, -1]", "0…179"), ("{}", "not an array"), ("[1, 2", "JSON"), ("[1, \"2\"]", "number"),
      ] {
        try binary.write("buckets.jsonl", "[3, 4]\n\(text)\n")
        let bad = try binary.weir("dedup", "docs.jsonl", "--fuzzy", "--buckets", "buckets.jsonl", "-o", "bad.jsonl")
        #expect(bad.code == 1 && bad.complaints.count == 1 && bad.errors.contains(said), "\(bad.errors)")
        #expect(binary.read("bad.jsonl") == nil)
      }
      for other in ["-o x", "--buckets x", "--report x", "--exact --no-verify --lines -o x"] {
        let arguments = ["dedup", "docs.jsonl", "--signatures", "s.npy"] + other.split(separator: " ").map(String.init)
        #expect(try binary.run(arguments).code == 64)
      }
      #expect(binary.read("s.npy") == nil)
    }
  }
}
