import Foundation
import Testing

/// Tokenizer files of other programs, valid and invalid, through the real binary.
@Suite struct TokenizerFileTests {
  private func trained(_ binary: Binary, _ options: String = "") throws -> String {
    try binary.write("docs.jsonl", Samples.file(30))
    let result = try binary.shell("weir tokenizer train docs.jsonl -o tok --vocabulary 320 --quiet \(options)")
    #expect(result.code == 0, "\(result.errors)")
    return String(decoding: binary.read("tok/tokenizer.json") ?? [], as: UTF8.self)
  }

  @Test func badFilesAreOneLineThatNamesTheMember() throws {
    try inFolder { binary in
      let good = try trained(binary)
      let merge = try #require(good.firstMatch(of: /\n      (\[".+", ".+"\]),\n/)).1
      let cases: [(String, String)] = [
        (String(good.dropLast(40)), "JSON"), (good.replacing(merge, with: "\(merge), \(merge)"), "model.merges[1]"),
        (good.replacing(merge, with: #"["zzz", "q"]"#), "model.merges[0]"), (good.replacing(merge, with: "7"), "model.merges[0]"),
        (good.replacing("\"A\": 33", with: "\"A\": 34"), "34 twice"),
        (good.replacing("\"A\": 33", with: "\"A\": 18446744073709551615"), "model.vocab[\"A\"]"),
        (good.replacing("\"A\": 33", with: "\"A\": \"33\""), "model.vocab[\"A\"]"),
        (good.replacing("\"A\": 33", with: "\"AA\": 33"), "byte 65"),
        (good.replacing("\"merges\"", with: "\"urges\""), "model.merges is missing"),
        (good.replacing("\"normalizer\": null", with: "\"normalizer\": {\"type\": \"Nmt\"}"), "normalizer is Nmt"),
        (good.replacing("\"Split\"", with: "\"Whitespace\""), "pre_tokenizer.pretokenizers[0] is Whitespace"),
        (good.replacing("\"post_processor\": null", with: "\"post_processor\": {\"type\": \"Magic\"}"), "post_processor is Magic"),
      ]
      for (text, says) in cases {
        #expect(text != good, "\(says)")
        try binary.write("bad/tokenizer.json", text)
        for line in [["tokenizer", "info", "bad"], ["tokenize", "docs.jsonl", "--tokenizer", "bad", "--shards", "new"]] {
          expectFailure(try binary.run(line), naming: ["bad/tokenizer.json", says])
        }
        #expect(!binary.names.contains { $0.hasPrefix("new") })
      }
    }
  }

  @Test func ranksGoThereAndBackAndHolesAreSaid() throws {
    try inFolder { binary in
      _ = try trained(binary)
      #expect(try binary.weir("tokenizer", "convert", "tok", "-o", "x.tiktoken").code == 0)
      // The special token has id 0, which the rank format does not store.
      let line = ["tokenizer", "convert", "x.tiktoken", "--pretokenizer", "llama3", "-o", "back"]
      expectFailure(try binary.run(line), naming: ["x.tiktoken", "319 ranks is not a known file", "--special"])
      #expect(try binary.run(line + ["--special", "<|endoftext|>=0"]).code == 0)
      let tokens = try ["tok", "back"].map { try binary.weir("tokenize", "docs.jsonl", "--plain", "--tokenizer", $0).output }
      #expect(tokens[0] == tokens[1] && !tokens[0].isEmpty)
      for (special, says) in [("<|endoftext|>", "--special"), ("=5", "--special"), ("a=b", "--special"), ("a=16777216", "--special")] {
        expectFailure(try binary.run(line + ["--special", special]), naming: [says])
      }
      expectFailure(try binary.run(line + ["--special", "<|endoftext|>=5"]), naming: ["x.tiktoken", "rank 5 belongs"])
      expectFailure(try binary.weir("tokenizer", "convert", "tok", "-o", "n", "--special", "a=5"), naming: ["tok", "--special"])
      var ranks = String(decoding: try #require(binary.read("x.tiktoken")), as: UTF8.self).split(separator: "\n").map(String.init)
      ranks.remove(at: 100)
      try binary.write("hole.tiktoken", ranks.joined(separator: "\n"))
      let hole = ["tokenizer", "convert", "hole.tiktoken", "--pretokenizer", "llama3", "-o", "new", "--special", "<|endoftext|>=0"]
      expectFailure(try binary.run(hole), naming: ["hole.tiktoken", "rank 101 is missing"])
    }
  }

  @Test func theBeginningOfATextIsPutWhereItIsAskedFor() throws {
    try inFolder { binary in
      let good = try trained(binary, "--special '<|endoftext|>' --special '<|begin|>'")
      let line = "weir tokenize docs.jsonl --tokenizer"
      #expect(try binary.shell("\(line) tok --plain > plain").code == 0)
      expectFailure(try binary.shell("\(line) tok --add-special --plain"), naming: ["--add-special", "post_processor"])
      let template = """
        {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<|begin|>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
         "pair": [], "special_tokens": {"<|begin|>": {"id": "<|begin|>", "ids": [1], "tokens": ["<|begin|>"]}}}
        """
      try binary.write("llama/tokenizer.json", good.replacing("\"post_processor\": null", with: "\"post_processor\": \(template)"))
      // Without the flag the tokens are the same; with it, each document begins with one more token.
      #expect(try binary.shell("\(line) llama --plain | cmp - plain").code == 0)
      let begun = try binary.shell("\(line) llama --add-special --plain").text.replacing("\"tokens\": [1, ", with: "\"tokens\": [")
      #expect(Array(begun.utf8) == binary.read("plain"))
      let back = try binary.shell(
        """
        set -o pipefail
        \(line) llama --add-special | weir tokenize --tokenizer llama --decode --add-special --plain > back.jsonl
        weir read docs.jsonl --plain | cmp - back.jsonl
        """)
      #expect(back.code == 0, "\(back.errors)\(back.text)")
      let loose = good.replacing(
        "\"id\": 1, \"content\": \"<|begin|>\", \"single_word\": false, \"lstrip\": false",
        with: "\"id\": 1, \"content\": \"<|begin|>\", \"single_word\": false, \"lstrip\": true")
      #expect(loose != good)
      try binary.write("loose/tokenizer.json", loose)
      #expect(try binary.shell("\(line) loose --plain | cmp - plain").code == 0)
      try binary.write("marked.jsonl", #"{"text": "a  <|begin|>b<|endoftext|>"}"# + "\n")
      // The token takes the white space before it; what is left comes back, with special tokens.
      let marked = try binary.shell(
        """
        set -o pipefail
        weir tokenize marked.jsonl --tokenizer loose --allow-special | weir tokenize --tokenizer loose --decode --plain
        """)
      #expect(marked.text.contains(#""text": "a<|begin|>b<|endoftext|>""#), "\(marked.errors)\(marked.text)")
    }
  }

  @Test func compressionIsToldByDomainOnHeldOutText() throws {
    try inFolder { binary in
      try binary.write("docs.jsonl", Samples.file(30))
      try binary.write("held.jsonl", Samples.file(9, seed: 5))
      let line = ["tokenizer", "train", "docs.jsonl", "-o", "tok", "--vocabulary", "320", "--held-out", "held.jsonl"]
      let result = try binary.run(line + ["--json"])
      #expect(result.code == 0, "\(result.errors)")
      struct Report: Decodable {
        struct HeldOut: Decodable {
          struct Part: Decodable {
            var documents: Int
            var bytes: Int
            var tokens: Int
            var bytes_per_token: Double
          }
          var by_domain: [String: Part]
          var overall: Part
          var used: Double
        }
        var held_out: HeldOut
      }
      let report = try JSONDecoder().decode(Report.self, from: Data(result.output)).held_out
      #expect(Set(report.by_domain.keys) == ["stars", "law", "food"] && report.by_domain.values.allSatisfy { $0.documents == 3 })
      #expect(report.by_domain.values.reduce(0) { $0 + $1.tokens } == report.overall.tokens && (0.1...1).contains(report.used))
      #expect(report.overall.bytes_per_token == Double(report.overall.bytes) / Double(report.overall.tokens))
      #expect(try binary.run(line).errors.contains("bytes per token"))
      #expect(try binary.weir("tokenizer", "info", "tok", "held.jsonl").errors.contains("stars"))
      expectFailure(try binary.run(Array(line.dropLast()) + ["nothere.jsonl"]), naming: ["nothere.jsonl"])
    }
  }
}
