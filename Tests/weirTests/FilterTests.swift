import Foundation
import Testing

/// What `weir filter` says about its losses.
@Suite struct FilterTests {
  @Test func theTableSaysWhatEachRuleCost() throws {
    try inFolder { binary in
      try binary.write("in/a.jsonl", Samples.file(40))
      try binary.write("in/b.jsonl", (1...9).map { #"{"text": "\#($0) short"}"# }.joined(separator: "\n") + "\n")
      let arguments = ["filter", "in", "--rules", "gopher-quality", "--rejects", "r.jsonl", "-o", "kept.jsonl"]
      let one = try binary.run(arguments + ["--threads", "1"])
      #expect(one.code == 0, "\(one.errors)")
      let rows = one.errors.components(separatedBy: "\n").map { $0.split(separator: " ").map(String.init) }
      #expect(rows.contains { $0 == ["rule", "threshold", "all", "b.jsonl", "a.jsonl"] }, "\(one.errors)")
      #expect(rows.contains { $0 == ["gopher.too_few_words", "at", "least", "50", "9", "9", "0"] }, "\(one.errors)")
      #expect(one.errors.components(separatedBy: "gopher.too_few_words (2; at least 50) in/b.jsonl:").count == 3)
      let rejects = String(decoding: try #require(binary.read("r.jsonl")), as: UTF8.self)
      #expect(rejects.contains("\"limit\" : 50") || rejects.contains("\"limit\":50"), "\(rejects.prefix(200))")
      // The threads change nothing but the times.
      let json = ["--json", "--by", "source", "--samples", "1"]
      func filters(_ threads: String) throws -> NSObject? {
        let output = try binary.run(arguments + json + ["--threads", threads]).output
        return (try JSONSerialization.jsonObject(with: Data(output)) as? [String: Any])?["filters"] as? NSObject
      }
      #expect(try filters("1") == filters("3") && filters("1") != nil)
      // The name of the rule is the name of its threshold.
      #expect(
        try binary.run(["filter", "in", "--rules", "gopher.too_few_words", "--set", "gopher.too_few_words=2", "-o", "all.jsonl"]).code == 0)
      #expect(try #require(binary.read("all.jsonl")).split(separator: 10).count == 49)
    }
  }

  @Test func aReportOfAnyArtifact() throws {
    try inFolder { binary in
      try binary.useMade()
      for (path, page) in [("set", "set/report.html"), ("tree", "tree/report.html"), ("run", "run/report.html"), ("mix.json", "mix.html")] {
        let result = try binary.weir("report", path)
        #expect(result.code == 0, "\(path): \(result.errors)")
        #expect(binary.read(page) != nil, "\(path)")
        let piped = try binary.weir("report", path, "-o", "-")
        #expect(piped.text.hasPrefix("<!DOCTYPE html>"), "\(path)")
      }
      #expect(try binary.weir("report", "tree", "--dataset", "set", "-o", "-").text.contains("chart-clusters"))
      // A page inside a folder does not harm it.
      for folder in ["set", "tree", "run"] { #expect(try binary.weir("verify", folder).code == 0, "\(folder)") }
    }
  }
}
