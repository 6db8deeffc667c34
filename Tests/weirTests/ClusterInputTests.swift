import Foundation
import Testing

/// Unusable vectors, trees and specialist seeds: the real binary fails with one line that names them, and writes nothing.
@Suite struct ClusterInputTests {
  /// A float32 matrix as numpy.save writes it.
  private func array(_ values: [Float], columns: Int) -> [UInt8] {
    var head = Array("{'descr': '<f4', 'fortran_order': False, 'shape': (\(values.count / columns), \(columns)), }".utf8)
    head += [UInt8](repeating: 0x20, count: 63 - (10 + head.count) % 64) + [10]
    let body = values.flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) } }
    return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(head.count), 0] + head + body
  }

  @Test func vectorsFromElsewhere() throws {
    try inFolder { binary in
      // 90 points near three corners, then faulty variants of them.
      let corners: [Float] = (0..<360).map { place in place % 4 == place / 4 % 3 ? 1 : 0 }
      let points: [Float] = corners.enumerated().map { place, corner in corner + Float(place * 7 % 11) / 100 }
      var broken = points
      broken[41 * 4 + 2] = .nan
      try binary.write("good.npy", array(points, columns: 4))
      try binary.write("nan.npy", array(broken, columns: 4))
      try binary.write("wide.npy", array(Array(points.prefix(360)), columns: 5))
      try binary.write("few.npy", array(corners, columns: 4))
      try binary.write("half.npy", Array(array(points, columns: 4).dropLast(9)))
      try binary.write("text.npy", "not an array")
      try binary.write("empty.npy", array([], columns: 4))
      let fit = ["--depth", "1", "--minimum-leaf", "1", "--quiet", "-o"]
      #expect(try binary.run(["cluster", "fit", "good.npy", "--arity", "3"] + fit + ["tree"]).code == 0)
      let before = try binary.snapshot()
      let cases: [([String], [String])] = [
        (["cluster", "fit", "nan.npy", "--arity", "3"] + fit + ["new"], ["nan.npy", "vector 41", "NaN/Inf"]),
        (["cluster", "assign", "nan.npy", "--tree", "tree", "-o", "new"], ["nan.npy", "vector 41", "NaN/Inf"]),
        (["cluster", "assign", "wide.npy", "--tree", "tree", "-o", "new"], ["wide.npy", "5 dimensions", "fitted on 4"]),
        (["cluster", "fit", "few.npy", "--arity", "9"] + fit + ["new"], ["--branching-factor", "9 clusters", "only 3 distinct vectors"]),
        (["cluster", "fit", "half.npy", "--arity", "3"] + fit + ["new"], ["half.npy"]),
        (["cluster", "fit", "text.npy", "--arity", "3"] + fit + ["new"], ["text.npy"]),
        (["cluster", "fit", "empty.npy", "--arity", "3"] + fit + ["new"], ["empty.npy"]),
        (["cluster", "assign", "good.npy", "--tree", "tree"], ["--output"]),
      ]
      for (arguments, words) in cases {
        let result = try binary.run(arguments)
        expectFailure(result, code: words == ["--output"] ? result.code : 1, naming: words)
        #expect(result.code != 0 && binary.names.allSatisfy { !$0.hasPrefix("new") })
        #expect(try binary.snapshot() == before, "weir \(arguments.joined(separator: " ")) left something")
      }
    }
  }

  /// The tree was fitted on two kinds of text; the dataset contains one of them, and the specialist seed is the other.
  @Test func aSeedWhoseClustersAreEmptyInTheDataset() throws {
    try inFolder { binary in
      try binary.useMade()
      func lines(_ words: [String]) -> String {
        (0..<40).map { row in
          let text = (0..<60).map { words[($0 * ($0 + row) + row) % words.count] }.joined(separator: " ")
          return #"{"id":"\#(words[0])\#(row)","text":"\#(text)"}"#
        }.joined(separator: "\n") + "\n"
      }
      try binary.write("one.jsonl", lines(["star", "galaxy", "orbit", "comet", "nebula"]))
      try binary.write("two.jsonl", lines(["bread", "flour", "butter", "oven", "yeast"]))
      let made = try binary.shell(
        """
        set -e
        weir tokenize one.jsonl two.jsonl --tokenizer tok --shards both --quiet
        weir tokenize one.jsonl --tokenizer tok --shards half --quiet
        weir embed both --dimensions 4 --quiet
        weir cluster fit both -o kinds --arity 2 --depth 1 --minimum-leaf 4 --quiet
        weir embed half --model kinds --quiet
        weir cluster assign half --tree kinds --quiet
        """)
      #expect(made.code == 0, "\(made.errors)")
      let before = try binary.snapshot()
      let sample = ["sample", "half", "--tree", "kinds", "--tokens", "100", "-o", "new.json"]
      expectFailure(
        try binary.run(sample + ["--seed-data", "two.jsonl"]), naming: ["two.jsonl", "all its clusters", "empty in the dataset"])
      #expect(try binary.snapshot() == before)
      #expect(try binary.run(sample + ["--seed-data", "one.jsonl", "--quiet"]).code == 0)
    }
  }
}
