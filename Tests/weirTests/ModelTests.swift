import Foundation
import Testing

/// Models on the command line: multiple choice, prompts, damaged model folders.
@Suite struct ModelTests {
  @Test func multipleChoice() throws {
    try inFolder { binary in
      try binary.useMade()
      let good = #"{"question":"The star is a","choices":["galaxy","bread of the court"],"answer":1}"#
      try binary.write("q.jsonl", "\(good)\n\n\(good)\n{\"question\":\"\",\"choices\":[\"é\",\"b\"],\"answer\":0,\"id\":7}\n")
      let result = try binary.weir("eval", "run", "--choices", "q.jsonl", "--choice-scores", "scores.jsonl", "--json", "--quiet")
      #expect(result.code == 0, "\(result.errors)")
      #expect(
        result.text.contains("\"questions\":3") && result.text.contains("\"acc_norm_stderr\":") && result.text.contains("\"chance\":0.5"))
      let scores = String(decoding: binary.read("scores.jsonl") ?? [], as: UTF8.self).split(separator: "\n")
      #expect(scores.count == 3 && scores[0] == scores[1])
      let both = try binary.weir(
        "eval", "run", "--data", "docs.jsonl", "--tree", "tree", "--choices", "q.jsonl", "--threads", "1", "--json")
      #expect(
        both.text.contains("\"by_cluster\":{\"0\":") && both.text.contains("\"loss_stderr\":") && both.text.contains("\"choices\":[{"))
      for (line, reason) in [
        (#"{"question":"a","choices":["b","c"],"answer":2}"#, "\"answer\""),
        (#"{"question":"a","choices":["b"],"answer":0}"#, "\"choices\""),
        (#"{"question":1,"choices":["b","c"],"answer":0}"#, "\"question\""),
        (#"{"question":"a","choices":["b",""],"answer":0}"#, "choices[1] is empty"),
        (#"{"question":"a","choices":["b"," \n"],"answer":0}"#, "choices[1] is empty"),
        (#"{"question":"a","choices":["b",1],"answer":0}"#, "choices[1] is not a string"),
        ("nonsense", "not valid JSON"), (#"{"question":"a","choices":["b","c"],"answer":-1}"#, "\"answer\""),
      ] {
        try binary.write("bad.jsonl", "\(good)\n\(line)\n")
        expectFailure(try binary.weir("eval", "run", "--choices", "bad.jsonl"), naming: ["bad.jsonl:2", reason])
      }
      try binary.write("none.jsonl", "\n")
      expectFailure(try binary.weir("eval", "run", "--choices", "none.jsonl"), naming: ["none.jsonl", "no questions"])
      #expect(try binary.weir("eval", "run").code == 64)
    }
  }

  /// Of equal choices the first is taken, and their scores are equal to the last digit.
  @Test func equalChoices() throws {
    try inFolder { binary in
      try binary.useMade()
      let lines = (0..<40).map { index -> String in
        let question = "Question \(index): what is it? " + String(repeating: "star ", count: index % 7) + "Answer:"
        return #"{"question":"\#(question)","choices":["dog","dog","dog","dog"],"answer":0}"#
      }
      try binary.write("q.jsonl", lines.joined(separator: "\n"))
      let result = try binary.weir("eval", "run", "--choices", "q.jsonl", "--choice-scores", "scores.jsonl", "--json", "--quiet")
      for name in ["acc", "acc_norm", "acc_bytes"] { #expect(result.text.contains("\"\(name)\":1,"), "\(result.text)") }
      struct Score: Decodable { var scores: [Double] }
      for line in String(decoding: binary.read("scores.jsonl") ?? [], as: UTF8.self).split(separator: "\n") {
        #expect(Set(try JSONDecoder().decode(Score.self, from: Data(line.utf8)).scores).count == 1)
      }
    }
  }

  @Test func evaluationSaysItsContextAndWhatItLeavesOut() throws {
    try inFolder { binary in
      try binary.useMade()
      try binary.write("d.jsonl", Samples.file(2) + "{\"text\":\"\"}\n{\"text\":\"\"}\n")
      let whole = try binary.weir("eval", "run", "--data", "d.jsonl")
      #expect(whole.errors.contains("context: the model's 32 tokens; longer documents, scored in chunks: 2; documents without text"))
      #expect(whole.errors.contains("not scored: 2"))
      let less = try binary.weir("eval", "run", "--data", "d.jsonl", "--sequence", "8", "--json", "--quiet")
      #expect(
        less.text.contains("\"sequence\":8") && less.text.contains("\"skipped_documents\":2")
          && less.text.contains("\"divided_documents\":2"))
      expectFailure(
        try binary.weir("eval", "run", "--data", "d.jsonl", "--sequence", "33"), naming: ["--sequence: must be in 1…32, the positions"])
    }
  }

  /// Folders with a template: a beginning of text is added as transformers does, and training keeps the files of the folder.
  @Test func foldersOfOtherPrograms() throws {
    try inFolder { binary in
      try binary.useMade()
      func edit(_ name: String, _ change: (inout [String: Any]) -> Void) throws {
        var members = try #require(try JSONSerialization.jsonObject(with: Data(binary.read("run/model/\(name)") ?? [])) as? [String: Any])
        change(&members)
        try binary.write("run/model/\(name)", Array(try JSONSerialization.data(withJSONObject: members)))
      }
      let words = ["--tokens", "8", "--temperature", "0", "--quiet"], prompt = ["--prompt", "The star"]
      let plain = try binary.run(["generate", "run"] + words + prompt)
      let data = ["eval", "run", "--data", "docs.jsonl", "--json", "--quiet"]
      let before = try binary.run(data)
      try edit("tokenizer_config.json") { $0.merge(["add_bos_token": true, "bos_token": ["content": "<|endoftext|>"]]) { $1 } }
      let after = try binary.run(data), left = try binary.run(data + ["--no-add-special"])
      #expect(left.text == before.text && after.text != before.text)
      #expect(try binary.run(["generate", "run", "--no-add-special"] + words + prompt).text == plain.text)
      try binary.write("run/model/chat_template.jinja", "{{ messages }}")
      try edit("generation_config.json") { $0.merge(["eos_token_id": [5, 0], "temperature": 0.6]) { $1 } }
      let generation = binary.read("run/model/generation_config.json")
      let shape = ["--sequence", "32", "--batch", "2", "--quiet", "-o", "new"]
      for command in [["finetune", "run", "--data", "docs.jsonl", "--epochs", "1"], ["train", "set", "--init", "run", "--tokens", "128"]] {
        #expect(try binary.run(command + shape).code == 0)
        #expect(binary.read("new/model/chat_template.jinja") == Array("{{ messages }}".utf8))
        #expect(binary.read("new/model/generation_config.json") == generation)
        #expect(binary.read("new/model/tokenizer_config.json") == binary.read("run/model/tokenizer_config.json"))
        _ = try binary.shell("rm -rf new")
      }
      try edit("tokenizer_config.json") { $0["bos_token"] = "<none>" }
      expectFailure(try binary.run(data), naming: ["tokenizer_config.json", "bos_token is \"<none>\""])
    }
  }

  @Test func longPromptsSayWhatIsDropped() throws {
    try inFolder { binary in
      try binary.useMade()
      try binary.write("long.txt", String(repeating: "star ", count: 100))
      let result = try binary.run(["generate", "run", "--prompt-file", "long.txt", "--tokens", "40"])
      #expect(result.code == 0 && result.errors.contains("more than the model's 32 positions; the first"), "\(result.errors)")
      #expect(result.errors.contains("whenever they were full, only the last 16 tokens"))
      for (option, value) in [("--temperature", "-1"), ("--top-k", "-1"), ("--top-p", "-0.5")] {
        expectFailure(try binary.run(["generate", "run", option, value]), naming: ["weir: \(option): must", value])
      }
      #expect(try binary.run(["generate", "run", "--tokens", "-5"]).errors.contains("must be at least 1, not -5"))
    }
  }

  @Test func promptsComeFromAnywhere() throws {
    try inFolder { binary in
      try binary.useMade()
      try binary.write("prompt.txt", "The star")
      let words = ["generate", "run", "--tokens", "20", "--seed", "4", "--quiet"]
      let text = try binary.run(words + ["--prompt", "The star"])
      #expect(text.code == 0 && text.text.hasPrefix("The star"), "\(text.errors)")
      #expect(try binary.run(words + ["--prompt-file", "prompt.txt", "--threads", "1"]).text == text.text)
      #expect(try binary.shell("printf 'The star' | weir \(words.joined(separator: " ")) --prompt-file -").text == text.text)
      #expect(try binary.run(words + ["--prompt", "a", "--prompt-file", "prompt.txt"]).code == 64)
      expectFailure(try binary.run(words + ["--prompt-file", "nothere"]), naming: ["nothere"])
      expectFailure(try binary.run(words + ["--top-p", "0"]), naming: ["--top-p"])
      expectFailure(try binary.run(words + ["--temperature", "nan"]), naming: ["--temperature"])
    }
  }

  @Test func errorsOfLibrariesNameFlags() throws {
    try inFolder { binary in
      try binary.useMade()
      for (options, flag) in [
        (["--lr", "0"], "--lr"), (["--sequence", "1"], "--sequence"), (["--spike-threshold", "nan"], "--spike-threshold"),
        (["--ema", "2"], "--ema"),
        (["--keep-last", "0"], "--keep-last"), (["--preset", "none"], "--preset"),
      ] {
        expectFailure(try binary.run(["train", "set", "--tokens", "1k", "-o", "new"] + options), naming: ["weir: \(flag): "])
      }
      // A file spelled like a property is not a flag.
      try binary.write("rows", "")
      expectFailure(try binary.run(["feed", "set", "--batch-size", "0", "--steps", "1"]), naming: ["weir: rows: "])
    }
  }

  @Test func foldersThatDoNotFit() throws {
    try inFolder { binary in
      try binary.useMade()
      let whole = try #require(binary.read("run/model/model.safetensors"))
      for command in [
        ["eval", "run", "--data", "docs.jsonl"], ["generate", "run"],
        ["finetune", "run", "--data", "docs.jsonl", "--sequence", "32", "-o", "new"],
      ] {
        // NaN in the last weight, a truncated file, a tokenizer with a larger vocabulary than the model.
        try binary.write("run/model/model.safetensors", Array(whole.dropLast(4)) + [0, 0, 0xC0, 0x7F])
        expectFailure(try binary.run(command), naming: ["model.safetensors", "is damaged"])
        try binary.write("run/model/model.safetensors", Array(whole.prefix(whole.count / 2)))
        expectFailure(try binary.run(command), naming: ["model.safetensors"])
        try binary.write("run/model/model.safetensors", whole)
        _ = try binary.shell("rm -rf new")
      }
      expectFailure(
        try binary.weir("train", "other-set", "--init", "run", "--tokens", "100", "--sequence", "32", "-o", "new"),
        naming: ["run", "tokeni"])
      #expect(try binary.shell("sed -i 's/\"vocab_size\" : 320/\"vocab_size\" : 319/' run/model/config.json").code == 0)
      expectFailure(try binary.weir("generate", "run"), naming: ["tokenizer.json", "320 tokens"])
    }
  }
}
