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
      #expect(result.text.contains("\"questions\":3") && result.text.contains("\"acc_norm_stderr\":"))
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
        (#"{"question":"a","choices":["b",""],"answer":0}"#, "non-empty string"),
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
        expectFailure(try binary.run(command), naming: ["model.safetensors", "nan"])
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
