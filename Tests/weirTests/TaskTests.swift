import Foundation
import Testing

/// Generation tasks, and special tokens in texts.
@Suite struct TaskTests {
  @Test func exactMatch() throws {
    try inFolder { binary in
      try binary.useMade()
      // What the model generates is the right answer.
      let prompts = ["The star", "bread of the", "court"]
      let outputs = try prompts.map { prompt in
        let result = try binary.run(["generate", "run", "--prompt", prompt, "--tokens", "6", "--temperature", "0", "--quiet"])
        return String(result.text.dropFirst(prompt.count).dropLast())
      }
      func line(_ members: [String: Any]) throws -> String {
        String(decoding: try JSONSerialization.data(withJSONObject: members), as: UTF8.self)
      }
      let middle = outputs[1].count / 2, cut = String(outputs[1].dropFirst(middle).prefix(2))
      let before = String(outputs[1][..<(try #require(outputs[1].range(of: cut)).lowerBound)])
      let lines = try [
        line(["prompt": prompts[0], "answer": "  " + outputs[0] + "\n", "max_tokens": 6]),
        line(["prompt": prompts[1], "answer": ["x", before], "stop": [cut, "zzzz"], "max_tokens": 6]),
        line(
          ["prompt": prompts[2], "answer": outputs[2].uppercased() + "!", "stop": "", "max_tokens": 6].merging(["stop": ["\u{1}"]]) { $1 }),
        line(["prompt": "", "answer": "nothing of the kind"]),
      ]
      try binary.write("t.jsonl", lines.joined(separator: "\n\n"))
      let command = ["eval", "run", "--tasks", "t.jsonl", "--details", "d.jsonl", "--json", "--quiet"]
      let result = try binary.run(command)
      #expect(result.code == 0, "\(result.errors)")
      #expect(result.text.contains("\"exact_match\":0.5,") && result.text.contains("\"items\":4"), "\(result.text)")
      let details = String(decoding: binary.read("d.jsonl") ?? [], as: UTF8.self).split(separator: "\n")
      #expect(details.map { $0.contains("\"correct\":true") } == [true, true, false, false])
      #expect(details.allSatisfy { $0.contains("\"task\":\"t\"") })
      let single = try binary.run(command + ["--threads", "1"])
      #expect(single.text == result.text)
      let both = try binary.run(["eval", "run", "--tasks", "t.jsonl", "--data", "docs.jsonl"])
      #expect(both.errors.contains("perplexity") && both.errors.contains("exact match"))
      try binary.write("upper.jsonl", try line(["prompt": prompts[0], "answer": outputs[0].uppercased(), "max_tokens": 6]))
      #expect(
        try binary.run(["eval", "run", "--tasks", "upper.jsonl", "--ignore-case", "--json", "--quiet"]).text.contains("\"exact_match\":1,"))
    }
  }

  @Test func badTasks() throws {
    try inFolder { binary in
      try binary.useMade()
      let good = #"{"prompt":"a","answer":"b"}"#
      for (line, reason) in [
        (#"{"answer":"b"}"#, "\"prompt\" is not a string"), (#"{"prompt":"a"}"#, "\"answer\" is neither"),
        (#"{"prompt":"a","answer":[]}"#, "\"answer\" is neither"), (#"{"prompt":"a","answer":["b",1]}"#, "\"answer\" is neither"),
        (#"{"prompt":"a","answer":"b","stop":""}"#, "\"stop\" is neither"),
        (#"{"prompt":"a","answer":"b","stop":3}"#, "\"stop\" is neither"),
        (#"{"prompt":"a","answer":"b","max_tokens":0}"#, "\"max_tokens\" is not"), ("nonsense", "not valid JSON"),
      ] {
        try binary.write("bad.jsonl", "\(good)\n\(line)\n")
        expectFailure(try binary.weir("eval", "run", "--tasks", "bad.jsonl"), naming: ["bad.jsonl:2", reason])
      }
      try binary.write("none.jsonl", "\n")
      expectFailure(try binary.weir("eval", "run", "--tasks", "none.jsonl"), naming: ["none.jsonl", "no items"])
      for words in [["--details", "d.jsonl", "--data", "docs.jsonl"], ["--ignore-case", "--data", "docs.jsonl"]] {
        #expect(try binary.run(["eval", "run"] + words).code == 64)
      }
    }
  }

  /// The text of special tokens stays text and is reported, unless it is allowed.
  @Test func specialTokensInTexts() throws {
    try inFolder { binary in
      try binary.useMade()
      try binary.write("m.jsonl", #"{"text":"star<|endoftext|>bread<|endoftext|>"}"# + "\n" + #"{"text":"star"}"# + "\n")
      let warning = "warning: m.jsonl: encoded 2 special tokens in 1 text as plain text; --allow-special"
      let data = ["eval", "run", "--data", "m.jsonl", "--json"]
      let plain = try binary.run(data), special = try binary.run(data + ["--allow-special"])
      #expect(plain.errors.contains(warning) && !special.errors.contains("warning"), "\(plain.errors)")
      #expect(plain.text != special.text)
      let prompt = ["generate", "run", "--prompt", "star<|endoftext|>", "--tokens", "2"]
      #expect(try binary.run(prompt).errors.contains("warning: prompt: encoded 1 special token in 1 text as plain text"))
      #expect(try !binary.run(prompt + ["--allow-special"]).errors.contains("warning"))
      let tune = ["finetune", "run", "--data", "m.jsonl", "--epochs", "1", "--sequence", "32", "--batch-size", "1", "-o", "new"]
      #expect(try binary.run(tune).errors.contains(warning))
      expectFailure(try binary.run(tune + ["--allow-special"]), naming: ["new: contains a different run"])
      try binary.write("q.jsonl", #"{"question":"star<|endoftext|>","choices":["a","b"],"answer":0}"#)
      #expect(
        try binary.run(["eval", "run", "--choices", "q.jsonl"]).errors.contains("warning: q.jsonl: encoded 1 special token in 1 text"))
    }
  }
}
