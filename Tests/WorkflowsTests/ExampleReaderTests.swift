import Foundation
import Kernels
import Pipeline
import Primitives
import Storage
import Synchronization
import TestSupport
import Testing
import Tokenization
import Training
import Workflows

/// A model folder whose tokens are bytes and the control tokens of chats.
private struct ByteModel {
  let folder: String
  static let specials = ["<s>", "</s>", "<|im_start|>", "<|im_end|>", "<|end|>"]

  init(_ folder: String, template: String? = nil) throws {
    self.folder = folder
    try Files.createFolder(folder)
    var list = TokenList()
    for byte in 0..<256 { list.append([UInt8(byte)], id: UInt32(byte)) }
    let added = Self.specials.enumerated().map { Tokenizer.AddedToken(id: UInt32(256 + $0), content: $1) }
    let tokenizer = try Tokenizer(vocabulary: list, merges: [], added: added, pretokenizer: .gpt2)
    let c = ModelConfiguration(vocabulary: 264, width: 16, layers: 1, heads: 2, ffn: 32, sequence: 256)
    let weights = Transformer(c, rows: 1, sequence: 1, training: false, pool: ThreadPool(threads: 1))
    weights.initialize(randomSeed: 1)
    try ModelFolder.write(folder + "/base", configuration: c, parameters: weights.parameters, tokenizer: nil)
    try tokenizer.writeFiles(in: model)
    var settings: [String: JSONValue] = [
      "tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<s>", "eos_token": ["content": "</s>"],
    ]
    settings["chat_template"] = template.map { .string($0) }
    try JSONFile.write(JSONValue.object(settings), to: model + "/tokenizer_config.json")
  }

  var model: String { folder + "/base" }

  func reader(_ change: (inout ExampleSettings) -> Void = { _ in }) throws -> ExampleReader {
    var settings = ExampleSettings()
    change(&settings)
    return try ExampleReader(model: model, addsSpecial: true, settings: settings)
  }

  func write(_ lines: [String], to name: String = "data.jsonl") throws -> String {
    try Files.write(Array((lines.joined(separator: "\n") + "\n").utf8), to: folder + "/" + name)
    return folder + "/" + name
  }

  /// The text of an example with what the loss covers in brackets.
  static func marked(_ examples: [EncodedExample], _ reader: ExampleReader) -> [String] {
    ExamplePreview.first(examples.count, of: examples, reader.tokenizer).map { preview in
      preview.parts.enumerated().map { $0 % 2 == 1 ? "[\($1)]" : $1 }.joined()
    }
  }

  func marked(
    _ lines: [String], sequence: Int = 256, _ change: (inout ExampleSettings) -> Void = { _ in }
  ) throws -> (texts: [String], counts: ExampleCounts) {
    var reader = try reader(change)
    let examples = try reader.read([try write(lines)], sequence: sequence)
    return (Self.marked(examples, reader), reader.counts)
  }

  func failure(_ lines: [String], _ change: (inout ExampleSettings) -> Void = { _ in }) throws -> WeirError? {
    do {
      _ = try marked(lines, change)
      return nil
    } catch let error as WeirError { return error }
  }
}

@Suite struct ExampleReaderTests {
  private static let chat =
    #"{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Yo"},{"role":"user","content":"A?"},{"role":"assistant","content":"B"}]}"#

  private func with(_ template: String? = nil, _ body: (ByteModel) throws -> Void) throws {
    try withTemporaryFolder { try body(ByteModel($0 + "/m", template: template)) }
  }

  @Test func kindsAreDetectedByFile() throws {
    try with { model in
      #expect(try model.marked([#"{"text":"ab"}"#]).texts == ["[ab</s>]"])
      #expect(
        try model.marked([#"{"prompt":"2+2=","completion":"4"}"#, #"{"prompt":"","completion":"x</s>"}"#]).texts == [
          "2+2=[4</s>]", "[x</s>]",
        ])
      let chatml = "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"
      let pair = #"{"prompt":[{"role":"user","content":"Hi"}],"completion":[{"role":"assistant","content":"Yo"}]}"#
      #expect(try model.marked([pair]) { $0.chatTemplate = "chatml" }.texts == [chatml + "[Yo<|im_end|>\n]"])
      let shared = #"{"conversations":[{"from":"human","value":"Hi"},{"from":"gpt","value":"Yo"}]}"#
      #expect(try model.marked([shared]) { $0.chatTemplate = "chatml" }.texts == [chatml + "[Yo<|im_end|>\n]"])
      var reader = try model.reader { $0.chatTemplate = "chatml" }
      let files = [try model.write([#"{"text":"ab"}"#], to: "a.jsonl"), try model.write([Self.chat], to: "b.jsonl")]
      #expect(try reader.read(files, sequence: 256).count == 2 && reader.counts.examples == 2)
      #expect(try model.marked([#"{"text":"ab","prompt":"a","completion":"b"}"#]) { $0.format = .documents }.texts == ["[ab</s>]"])
    }
  }

  @Test func theLossCoversWhatIsAskedFor() throws {
    try with { model in
      func text(_ trained: ExampleSettings.Trained) throws -> String {
        try model.marked([Self.chat]) { ($0.chatTemplate, $0.trained) = ("chatml", trained) }.texts[0]
      }
      let first = "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n",
        second = "<|im_start|>user\nA?<|im_end|>\n<|im_start|>assistant\n"
      let (completion, lastTurn, all) = (try text(.completion), try text(.lastTurn), try text(.all))
      #expect(completion == first + "[Yo<|im_end|>\n]" + second + "[B<|im_end|>\n]")
      #expect(lastTurn == first + "Yo<|im_end|>\n" + second + "[B<|im_end|>\n]")
      #expect(all == "[" + first + "Yo<|im_end|>\n" + second + "B<|im_end|>\n]")
    }
  }

  /// Templates without generation blocks: the turns are what follows each prompt.
  @Test func turnsAreFoundWithoutGenerationBlocks() throws {
    let chatml =
      "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    // Like Qwen 3: the last turn has reasoning.
    let reasoning = chatml.replacing(
      "{{ m.content }}", with: "{% if loop.last and m.role == 'assistant' %}<think>\n\n</think>\n\n{% endif %}{{ m.content }}")
    for (template, thought) in [(chatml, ""), (reasoning, "<think>\n\n</think>\n\n")] {
      try with(template) { model in
        let texts = try model.marked([Self.chat]).texts
        let first = "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n[Yo<|im_end|>\n]"
        #expect(texts == [first + "<|im_start|>user\nA?<|im_end|>\n<|im_start|>assistant\n[\(thought)B<|im_end|>\n]"])
      }
    }
    // Like Phi 3: the chat ends with an end of text. Like Qwen 3.5: the prompt begins the reasoning.
    let prompts = "{% if add_generation_prompt %}<|im_start|>assistant\n"
    for template in [
      chatml.replacing(prompts, with: "{% if not add_generation_prompt %}</s>{% else %}<|im_start|>assistant\n"),
      reasoning.replacing(prompts, with: prompts + "<think>\n"),
    ] {
      try with(template) { model in
        let text = try model.marked([Self.chat]).texts[0],
          end = template.contains("</s>") ? "B<|im_end|>\n</s>]" : "</think>\n\nB<|im_end|>\n]"
        #expect(text.contains("assistant\n[Yo<|im_end|>\n]<|im_start|>user") && text.hasSuffix(end), "\(text)")
        #expect(text.count { $0 == "[" } == 2)
      }
    }
    // A template that writes the number of messages first has no prompts that begin the chat.
    try with("{{ messages | length }}" + chatml) { model in
      let error = try model.failure([Self.chat])
      #expect(error?.place.hasSuffix("data.jsonl:1") == true && error?.reason.contains("turn 1 differently") == true)
      #expect(try model.marked([Self.chat]) { $0.trained = .lastTurn }.texts.count == 1)
    }
  }

  @Test func controlTokensInMessagesAreCountedAndCanBePlainText() throws {
    try with { model in
      let line = #"{"messages":[{"role":"user","content":"a<|im_end|>b"},{"role":"assistant","content":"<|im_end|>"}]}"#
      func tokens(_ sanitizes: Bool) throws -> ([Int32], ExampleCounts) {
        var reader = try model.reader { ($0.chatTemplate, $0.sanitizesControlTokens) = ("chatml", sanitizes) }
        let examples = try reader.read([try model.write([line])], sequence: 256)
        #expect(
          ByteModel.marked(examples, reader) == [
            "<|im_start|>user\na<|im_end|>b<|im_end|>\n<|im_start|>assistant\n[<|im_end|><|im_end|>\n]"
          ])
        return (examples[0].example.tokens, reader.counts)
      }
      let end = Int32(256 + 3), (parsed, counts) = try tokens(false), (plain, _) = try tokens(true)
      #expect(parsed.count { $0 == end } == 4 && plain.count { $0 == end } == 2 && counts.controlTokens == 2)
      #expect(plain.count == parsed.count + 2 * ("<|im_end|>".utf8.count - 1))
    }
  }

  /// Masks and plain control tokens together, with and without generation blocks, and with marks that a template cuts off.
  @Test func plainControlTokensLeaveTheLossWhereItIs() throws {
    let content = "{{ m.content.split('|')[-1] if m.role == 'user' else m.content }}<|im_end|>\n"
    let line =
      #"{"messages":[{"role":"user","content":"x<|im_end|>q"},{"role":"assistant","content":"<s>a<|im_end|>b"},{"role":"user","content":"u"},"#
      + #"{"role":"assistant","content":"</s>"}]}"#
    for body in [content, "{% generation %}\(content){% endgeneration %}"] {
      let template =
        "{% for m in messages %}<|im_start|>{{ m.role }}\n{% if m.role == 'assistant' %}\(body){% else %}\(content){% endif %}{% endfor %}"
        + "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
      try with(template) { model in
        var reader = try model.reader { $0.sanitizesControlTokens = true }
        let examples = try reader.read([try model.write([line])], sequence: 256), texts = ByteModel.marked(examples, reader)
        let user = "<|im_start|>user\n", assistant = "<|im_start|>assistant\n", end = "<|im_end|>\n"
        let first = user + ">q" + end + assistant + "[<s>a<|im_end|>b" + end + "]"
        #expect(texts == [first + user + "u" + end + assistant + "[</s>" + end + "]"])
        #expect(examples[0].example.tokens.count { $0 >= 256 } == 8)
      }
    }
  }

  @Test func longExamplesAreTruncatedOrDropped() throws {
    try with { model in
      let lines = [
        #"{"prompt":"<s>abcdefgh","completion":"xy"}"#, #"{"prompt":"a","completion":"0123456789"}"#, #"{"prompt":"a","completion":"b"}"#,
      ]
      let (texts, counts) = try model.marked(lines, sequence: 6)
      #expect(texts == ["<s>gh[xy</s>]", "a[01234]", "a[b</s>]"] && counts.truncated == 2 && counts.dropped == 0)
      let (kept, dropped) = try model.marked(lines, sequence: 6) { $0.overlong = .drop }
      #expect(kept == ["a[b</s>]"] && dropped.dropped == 2 && dropped.examples == 1 && dropped.trained == 2)
      var reader = try model.reader { $0.overlong = .drop }
      let error = #expect(throws: WeirError.self) { _ = try reader.readAll([try model.write(lines)], sequence: 2) }
      #expect(error?.reason.contains("longer than the sequence of 2") == true)
    }
  }

  @Test(arguments: [
    (#"{"messages":[]}"#, "\"messages\" is empty"), (#"{"messages":"x"}"#, "not a list"),
    (#"{"messages":[{"content":"a"}]}"#, "has no role"),
    (#"{"messages":[{"role":"bot","content":"a"}]}"#, "unknown role \"bot\""),
    (#"{"messages":[{"role":"user","content":null}]}"#, "content is null"),
    (#"{"messages":[{"role":"user","content":["a"]}]}"#, "content is a list"), (#"{"messages":[{"role":"user"}]}"#, "content is missing"),
    (#"{"messages":[{"role":"assistant","content":"a"}]}"#, "messages[0] is of the role assistant"),
    (#"{"messages":[{"role":"user","content":"a"},{"role":"user","content":"a"}]}"#, "user after user"),
    (#"{"messages":[{"role":"user","content":"a"},{"role":"system","content":"a"}]}"#, "system after user"),
    (#"{"messages":[{"role":"user","content":"a"}]}"#, "says nothing"), (#"{"messages":[1]}"#, "messages[0] is not an object"),
    (#"{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":null,"tool_calls":[{"name":"f"}]}]}"#, "calls tools"),
    (#"{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}],"tools":[{"name":"f"}]}"#, "has tools"),
    (#"{"conversations":[{"from":"alien","value":"a"}]}"#, "unknown role"),
    (#"{"conversations":[{"from":"human","value":1}]}"#, "value is not a string"),
    (#"{"prompt":"a","completion":"b"}"#, "no \"messages\""), (#"{"text":"a"}"#, "no \"messages\""), ("nonsense", "not valid JSON"),
  ]) func brokenChatsAreRefusedWithTheirLine(_ line: String, _ reason: String) throws {
    try with { model in
      let error = try model.failure([Self.chat, "", line]) { $0.chatTemplate = "chatml" }
      #expect(error?.place.hasSuffix("data.jsonl:3") == true && error?.reason.contains(reason) == true, "\(error?.description ?? "none")")
    }
  }

  @Test func otherBadInputIsRefused() throws {
    try with { model in
      for (line, reason) in [
        (#"{"prompt":null,"completion":"a"}"#, "is null"), (#"{"prompt":1,"completion":"a"}"#, "is not a string"),
        (#"{"prompt":[],"completion":[{"role":"assistant","content":"b"}]}"#, "is empty"),
        (#"{"prompt":"a","completion":[]}"#, "is not a string"),
        (#"{"body":"x","id":1}"#, "but \"body\", \"id\""), (#"{"text":"a","messages":[]}"#, "messages and documents"),
      ] {
        let error = try model.failure([line])
        #expect(error?.place.hasSuffix("data.jsonl:1") == true && error?.reason.contains(reason) == true, "\(error?.description ?? "none")")
      }
      #expect(try model.failure([Self.chat])?.reason.contains("has no chat template") == true)
      #expect(try model.failure([Self.chat]) { $0.chatTemplate = "llama3" }?.reason.contains("no token <|start_header_id|>") == true)
      #expect(try model.failure([Self.chat]) { $0.chatTemplate = "nothing" }?.reason.contains("no chat template nothing") == true)
      #expect(try model.failure([Self.chat]) { $0.chatDate = "yesterday" }?.place == "chatDate")
    }
    try with("{{ raise_exception('no') }}") { model in
      let error = try model.failure([Self.chat])
      #expect(error?.place.hasSuffix("data.jsonl:1") == true && error?.reason.contains("tokenizer_config.json#chat_template:1") == true)
    }
  }

  @Test func namedTemplatesAreFound() throws {
    try with { model in
      let named = #"[{"name":"default","template":"D{{ messages[0].content }}"},{"name":"rag","template":"R"}]"#
      try Files.write(Array(#"{"chat_template":\#(named)}"#.utf8), to: model.model + "/tokenizer_config.json")
      #expect(try model.marked([Self.chat]) { $0.trained = .all }.texts == ["[DHi]"])
      #expect(try model.marked([Self.chat]) { ($0.trained, $0.chatTemplate) = (.all, "rag") }.texts.count == 0)
      try Files.write(Array("J{{ messages[0].role }}\n".utf8), to: model.model + "/chat_template.jinja")
      #expect(try model.marked([Self.chat]) { $0.trained = .all }.texts == ["[Juser]"])
      let file = model.folder + "/own.jinja"
      try Files.write(Array("F{{ messages | length }}".utf8), to: file)
      #expect(try model.marked([Self.chat]) { ($0.trained, $0.chatTemplate) = (.all, file) }.texts == ["[F4]"])
    }
  }

  /// Finetuning on chats lowers the loss on their turns, and resumes to the same bits.
  @Test func finetuningOnChats() throws {
    try with { model in
      let data = try model.write((0..<6).map { Self.chat.replacing("Yo", with: "Yo\($0)") })
      func configuration(_ name: String) -> FinetuneConfiguration {
        var configuration = FinetuneConfiguration(model: model.model, data: [data], output: model.folder + "/" + name)
        configuration.epochs = 4
        configuration.examples.chatTemplate = "chatml"
        (configuration.settings.rows, configuration.settings.sequence, configuration.settings.heldOut) = (2, 128, [data])
        return configuration
      }
      let report = try FinetuneRun.run(configuration("one"), threads: 2)
      let counts = try #require(report.finetuning?.examples)
      #expect(counts.examples == 6 && counts.trained < counts.tokens && (counts.padding ?? 0) > 0)
      let evaluation = try #require(report.training.final.first?.result)
      #expect(evaluation.tokens == counts.trained && evaluation.documents == 6)
      let steps = Mutex(0)
      let progress = Progress(report: { _ in steps.withLock { $0 += 1 } }, stopping: { steps.withLock { $0 >= 3 } })
      #expect(throws: Stopped.self) { _ = try FinetuneRun.run(configuration("two"), threads: 1, progress: progress) }
      let resumed = try FinetuneRun.run(configuration("two"), threads: 1)
      #expect(resumed.training.loss == report.training.loss && resumed.training.final == report.training.final)
      var other = configuration("two")
      other.examples.trained = .lastTurn
      #expect(throws: WeirError.self) { _ = try FinetuneRun.run(other, threads: 1) }
      let (previews, _) = try FinetuneRun.preview(other, count: 2)
      #expect(previews.count == 2 && previews[0].origin == "\(data):1" && previews[0].lines.count > 3)
    }
  }
}
