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

  @Test func whatIsOddAboutTheSettingsIsSaid() throws {
    try inFolder { binary in
      try binary.write("a.jsonl", "{\"text\": \"short\", \"m\": {\"d\": \"one\\n\\u001b[31mtwo\"}}\n" + Samples.file(3))
      let start = ["filter", "a.jsonl", "-o", "kept.jsonl"]
      let table = try binary.run(start + ["--by", "m.d"]).errors
      #expect(table.contains("one\\n\\u{1B}[31mtwo") && !table.contains("\u{1B}"), "\(table)")
      let decontaminate = ["decontaminate", "a.jsonl", "--against", "a.jsonl", "--minimum-words", "1", "-o", "clean.jsonl", "--by"]
      #expect(try binary.run(decontaminate + ["m.d"]).errors.contains("one\\n\\u{1B}[31mtwo"))
      for line in [start + ["--by"], decontaminate] {
        #expect(try binary.run(line + ["nope"]).errors.contains("note: no document has a member nope, which --by names"))
        #expect(try binary.run(line + [""]).errors.contains("--by must be file or the name of a member"))
      }
      #expect(try binary.run(start + ["--rules=-gopher"]).errors.contains("warning: --rules -gopher leaves no rule"))
      #expect(try !binary.run(start + ["--rules", "none"]).errors.contains("warning"))
      for (settings, message) in [
        (["gopher.too_few_words=-1"], "--set gopher.too_few_words=-1: -1 is below 0; use 0 or more"),
        (["gopher.too_few_words=2.5"], "'2.5' is not a value for gopher.too_few_words; give a whole number"),
        (["length.too_short=3"], "length.too_short has no effect"), (["c4.policy=1"], "unknown threshold 'c4.policy'"),
        (["gopher.too_few_words=2", "gopher.too_few_words=3"], "--set: gopher.too_few_words is set twice"),
        (["gopher.too_many_hashes=1", "gopher.too_many_ellipses=1"], "too_many_hashes and gopher.too_many_ellipses are one threshold"),
      ] {
        let result = try binary.run(start + settings.flatMap { ["--set", $0] })
        #expect(result.code == 64 && result.errors.contains(message), "\(result.errors)")
      }
    }
  }

  @Test func rejectsShowWhatWasCut() throws {
    try inFolder { binary in
      let question = (1...13).map { "q\($0)" }.joined(separator: " ")
      let filler = String(repeating: "word ", count: 100)
      try binary.write("d.jsonl", "{\"text\": \"\(filler)\(question) \(filler)\"}\n{\"text\": \"\(question)\"}\n{\"text\": \"clean\"}\n")
      try binary.write("ev.jsonl", "{\"q\": \"\(question)\", \"c\": [\"a b c d e f g h\", 5, null, true]}\n")
      let options = ["--against", "ev.jsonl", "--against-field", "q", "--against-field", "c", "--cut", "--rejects", "rc.jsonl"]
      let result = try binary.run(["decontaminate", "d.jsonl"] + options + ["-o", "kept.jsonl"])
      #expect(result.code == 0 && result.errors.contains("3 in, 2 out, 1 dropped (short_pieces 1)"), "\(result.errors)")
      #expect(result.errors.contains("ev.jsonl: null, true or false under q or c 2 times"))
      let lines = try #require(binary.read("rc.jsonl")).split(separator: 10).map {
        try #require(try JSONSerialization.jsonObject(with: Data($0)) as? [String: Any])
      }
      let match = "13 words of ev.jsonl:1: \"\(question)\""
      #expect(lines.map { $0["reason"] as? String } == ["cut: " + match, "short_pieces: " + match])
      #expect(lines.map { $0["kept"] as? Bool } == [true, nil])
      #expect((lines[0]["removed_bytes"] as? Int ?? 0) > 400 && lines[1]["removed_bytes"] == nil)
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
