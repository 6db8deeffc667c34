import Foundation
import Testing

/// Prompts with completions, and chats, on the command line.
@Suite struct ChatTests {
  private static let small = ["-o", "new", "--sequence", "32", "--batch-size", "2", "--epochs", "1", "--threads", "1"]
  private static let chat = #"{"messages":[{"role":"user","content":"star"},{"role":"assistant","content":"light"}]}"#

  @Test func finetuneOnCompletions() throws {
    try inFolder { binary in
      try binary.useMade()
      let lines = (0..<6).map { #"{"prompt":"the star \#($0) is","completion":" a galaxy","source":"stars"}"# }
      try binary.write("pairs.jsonl", lines.joined(separator: "\n") + "\n")
      let shown = try binary.run(["finetune", "run", "--data", "pairs.jsonl", "--show", "2"] + Self.small)
      #expect(shown.code == 0, "\(shown.errors)")
      let output = shown.text + shown.errors
      #expect(output.contains("pairs.jsonl:2: ") && output.contains("the star 1 is⟦ a galaxy<|endoftext|>⟧"), "\(output)")
      #expect(output.contains("6 examples") && binary.read("new/run.json") == nil)
      let tuned = try binary.run(["finetune", "run", "--data", "pairs.jsonl", "--valid", "pairs.jsonl", "--json"] + Self.small)
      #expect(tuned.code == 0, "\(tuned.errors)")
      #expect(
        tuned.text.contains("\"examples\":{") && tuned.text.contains("\"trained_tokens\":")
          && tuned.text.contains("\"by_domain\":{\"stars\""))
      #expect(tuned.text.contains("\"padding\":"), "\(tuned.text)")
      try binary.write("twice.jsonl", #"{"prompt":"a","completion":"b","completion":"c"}"# + "\n")
      expectFailure(
        try binary.run(["finetune", "run", "--data", "twice.jsonl"] + Self.small), naming: ["twice.jsonl:1: has \"completion\" twice"])
    }
  }

  @Test func finetuneOnChats() throws {
    try inFolder { binary in
      try binary.useMade()
      try binary.write("chats.jsonl", "\(Self.chat)\n\(Self.chat)\n")
      let template =
        "{% for m in messages %}{{ m.role }}: {{ m.content }}{{ eos_token }}{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}"
      try binary.write("own.jinja", template)
      let tune = ["finetune", "run", "--data", "chats.jsonl"] + Self.small
      let shown = try binary.run(tune + ["--chat-template", "own.jinja", "--show", "1"])
      let output = shown.text + shown.errors
      #expect(output.contains("user: star<|endoftext|>assistant: ⟦light<|endoftext|>⟧"), "\(output)")
      let tuned = try binary.run(tune + ["--chat-template", "own.jinja"])
      #expect(tuned.code == 0, "\(tuned.errors)")
      // The evaluation of a model reads what it is finetuned on.
      let whole = try binary.run(["eval", "new", "--data", "chats.jsonl", "--chat-template", "own.jinja", "--sequence", "32", "--json"])
      let held = try binary.run(tune + ["--chat-template", "own.jinja", "--valid", "chats.jsonl", "--json"])
      #expect(whole.code == 0 && held.code == 0, "\(whole.errors)\(held.errors)")
      let loss = try #require(whole.text.firstMatch(of: /"loss":[-0-9.e]+/))
      #expect(held.text.contains(loss.output), "\(loss.output): \(held.text)")
      expectFailure(
        try binary.run(["eval", "new", "--data", "chats.jsonl", "--chat-template", "own.jinja", "--tree", "tree"]),
        naming: ["clusters are those of documents"])
      // What the loss covers is part of the run.
      expectFailure(try binary.run(tune + ["--chat-template", "own.jinja", "--train-on", "all"]), naming: ["new", "a different run"])
      expectFailure(try binary.run(tune), naming: ["has no chat template", "chatml"])
      expectFailure(try binary.run(tune + ["--chat-template", "chatml"]), naming: ["--chat-template", "<|im_start|>"])
      expectFailure(try binary.run(tune + ["--chat-date", "soon"]), code: 64, naming: ["--chat-date", "2024-07-26"])
      try binary.write("own.jinja", template + "\n{{ messages | sort }}")
      expectFailure(try binary.run(tune + ["--chat-template", "own.jinja"]), naming: ["own.jinja:2", "filter sort"])
      try binary.write("own.jinja", template)
      try binary.write("chats.jsonl", "\(Self.chat)\n{\"prompt\":\"a\",\"completion\":\"b\"}\n")
      expectFailure(try binary.run(tune + ["--chat-template", "own.jinja"]), naming: ["chats.jsonl:2", "\"messages\""])
      #expect(try binary.run(tune + ["--show", "0"]).code == 64)
    }
  }
}
