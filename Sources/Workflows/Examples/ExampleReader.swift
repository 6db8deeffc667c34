import ChatTemplates
import Documents
import Pipeline
import Primitives
import Storage
import Tokenization
import Training

/// An example with where it comes from.
package struct EncodedExample: Sendable {
  package var example: TrainingExample
  /// `path:line` of the file it was read from.
  package var origin: String
  /// UTF-8 bytes of the text that the loss covers.
  package var bytes: Int
  /// The domain under which it is also evaluated; nil for none.
  package var domain: String?
}

/// Reads examples into memory: documents, prompts with completions, and chats.
package struct ExampleReader {
  package let settings: ExampleSettings
  package private(set) var counts = ExampleCounts()
  /// Special tokens in documents that were encoded as plain text.
  private(set) var plainSpecials = PlainSpecials()
  /// Encodes documents, and prompts with completions.
  package private(set) var encoder: DocumentEncoder
  private let folder: String
  /// Opened for the first chat, since a model needs no chat template otherwise.
  private var chat: ChatEncoder?
  private let beginning: UInt32?
  /// The token after a completion.
  private let end: UInt32?
  /// The model's `eos_token`, where its tokenizer does not have it.
  private let missingEnd: String?

  package var tokenizer: Tokenizer { encoder.tokenizer }

  /// - Parameters:
  ///   - addsSpecial: whether to add the special tokens around each text that transformers adds. Chats have those of their template.
  ///   - allowsSpecials: whether special tokens in the text of documents become their ids.
  package init(model: String, addsSpecial: Bool, allowsSpecials: Bool = false, settings: ExampleSettings) throws {
    try settings.validate()
    self.settings = settings
    folder = try ModelFolder.locate(model)
    encoder = try Models.encoder(model, addsSpecial: addsSpecial, allowsSpecials: allowsSpecials)
    beginning = try Models.specialToken("bos_token", folder, encoder.tokenizer)
    let own = try Models.specialToken("eos_token", folder, encoder.tokenizer)
    end = own ?? encoder.tokenizer.endOfDocument
    missingEnd = own == nil ? try Models.specialTokens(folder)["eos_token"] : nil
  }

  /// Reads files to train on.
  /// - Throws: also where no token is left to train on.
  package mutating func readAll(_ files: [String], sequence: Int) throws -> [EncodedExample] {
    let examples = try read(files, sequence: sequence)
    guard !examples.isEmpty else {
      let place = files.joined(separator: " ")
      if counts.dropped > 0 {
        throw WeirError(
          place, "all examples are longer than the sequence of \(sequence) tokens", remedy: "truncate them, or set a longer one")
      }
      throw WeirError(place, "contains no token to train on", remedy: "the fewest of a document are two")
    }
    return examples
  }

  /// Reads files, each with examples of one kind.
  /// - Parameter sequence: tokens per row, the most of an example with a prompt.
  /// - Throws: `WeirError` for the first line that is not an example.
  package mutating func read(_ files: [String], sequence: Int) throws -> [EncodedExample] {
    let source = try DocumentSource(paths: files)
    var examples: [EncodedExample] = [], current: (path: String, format: ExampleSettings.Format)?
    while let block = try source.next() {
      if current?.path != block.path { current = (block.path, try format(block)) }
      guard let format = current?.format, format != .documents else {
        examples += try documents(block)
        continue
      }
      var line = block.firstLine
      for text in block.bytes[..<block.count].split(separator: 0x0A, omittingEmptySubsequences: false) {
        defer { line += 1 }
        guard text.contains(where: { $0 > 0x20 }) else { continue }
        let place = "\(block.path == "-" ? "standard input" : block.path):\(line)"
        let root = try JSONDocument(Array(text), place: place, lenient: true).root
        let example = try encode(try ExampleRecord(root, format, place: place), place: place)
        guard let fitting = fit(example, sequence) else { continue }
        let domain = root["metadata"]?["domain"]?.string ?? root["source"]?.string
        examples.append(EncodedExample(example: fitting, origin: place, bytes: bytes(of: fitting), domain: domain))
      }
    }
    try source.finish()
    count(examples, 1)
    return examples
  }

  /// Takes examples that are not trained on after all out of the counts.
  package mutating func leaveOut(_ examples: [EncodedExample]) { count(examples, -1) }

  private mutating func count(_ examples: [EncodedExample], _ sign: Int) {
    counts.examples += sign * examples.count
    for example in examples {
      counts.tokens += sign * example.example.tokens.count
      counts.trained += sign * example.example.targets
    }
  }

  /// What the file of a first block contains.
  private func format(_ block: LineBlock) throws -> ExampleSettings.Format {
    guard block.kind == .lines else {
      guard [.auto, .documents].contains(settings.format) else {
        throw WeirError(block.path, "is a text, not lines of examples", remedy: "expected JSON Lines")
      }
      return .documents
    }
    guard settings.format == .auto else { return settings.format }
    let lines = block.bytes[..<block.count].split(separator: 0x0A, omittingEmptySubsequences: false)
    guard let index = lines.firstIndex(where: { $0.contains { $0 > 0x20 } }) else { return .documents }
    let place = "\(block.path):\(block.firstLine + index)", root = try JSONDocument(Array(lines[index]), place: place, lenient: true).root
    return try ExampleRecord.format(root, place: place)
  }

  private mutating func documents(_ block: LineBlock) throws -> [EncodedExample] {
    var tally = Tally(stage: ParseDocuments.stage, keepsRejects: true)
    let documents = try ParseDocuments().apply(block, tally: &tally)
    if let reject = tally.rejects.first { throw WeirError(reject.origin, reject.reason, remedy: "correct or remove the line") }
    return documents.compactMap { document in
      let encoded = encoder.encode(document), example = TrainingExample(document: encoded.ids)
      plainSpecials.add(encoded.plainSpecials)
      guard example.targets > 0, !document.text.isEmpty else {
        counts.untrained += 1
        return nil
      }
      return EncodedExample(example: example, origin: document.origin, bytes: document.text.count, domain: document.label)
    }
  }

  /// The example as it fits a row; nil if it is left out.
  private mutating func fit(_ example: TrainingExample, _ sequence: Int) -> TrainingExample? {
    var example = example
    if example.tokens.count > sequence {
      guard settings.overlong == .truncate else {
        counts.dropped += 1
        return nil
      }
      counts.truncated += 1
      example = example.truncated(to: sequence)
    }
    guard example.targets > 0 else {
      counts.untrained += 1
      return nil
    }
    return example
  }

  /// The bytes of the tokens that the loss covers.
  private func bytes(of example: TrainingExample) -> Int {
    example.trained.reduce(0) { sum, range in
      example.tokens[range].reduce(sum) { $0 + tokenizer.bytes(of: UInt32(bitPattern: $1)).count }
    }
  }

  // MARK: Tokens and masks

  private mutating func encode(_ record: ExampleRecord, place: String) throws -> TrainingExample {
    for text in record.texts { counts.controlTokens += tokenizer.specialTokens(in: text).count }
    if counts.controlTokens > 0, settings.sanitizesControlTokens { counts.sanitized = true }
    switch record {
    case .text(let prompt, let completion):
      if let missingEnd {
        throw WeirError(
          folder, "its eos_token \"\(missingEnd)\" is not in its tokenizer, so nothing can end a completion",
          remedy: "correct tokenizer_config.json and special_tokens_map.json")
      }
      let allowsSpecials = !settings.sanitizesControlTokens, prefix = encoder.template.prefix
      var tokens = prefix + tokenizer.encode(prompt + completion, allowsSpecials: allowsSpecials)
      if let end, tokens.last != end { tokens.append(end) }
      return completed(tokens, prompt: prefix + tokenizer.encode(prompt, allowsSpecials: allowsSpecials))
    case .chat(let prompt, let completion, let tools):
      let chat = try chatEncoder(prompt + completion, tools, place)
      return try completed(chat, prompt, prompt + completion, tools, place)
    case .messages(let messages, let tools):
      let chat = try chatEncoder(messages, tools, place)
      if settings.trained == .lastTurn, let last = messages.lastIndex(where: { $0.role == "assistant" }) {
        return try completed(chat, Array(messages[..<last]), Array(messages[...last]), tools, place)
      }
      var rendering = try chat.render(messages, tools: tools, prompts: false, place: place)
      if settings.trained == .completion { rendering.generated = try chat.spoken(messages, tools: tools, in: rendering, place: place) }
      let (tokens, text) = chat.encode(rendering)
      guard settings.trained == .completion else { return example(tokens, trained: [0..<tokens.count], completion: tokens.count - 1) }
      let trained = TokenSpans.tokens(tokens, of: text.generated, in: text.text, tokenizer)
      return example(tokens, trained: trained, completion: trained.last?.lowerBound ?? 0)
    }
  }

  private mutating func chatEncoder(_ messages: [ChatMessage], _ tools: TemplateValue, _ place: String) throws -> ChatEncoder {
    let encoder = try chat ?? ChatEncoder(tokenizer, folder: folder, settings)
    chat = encoder
    try encoder.check(messages, tools: tools, place: place)
    return encoder
  }

  /// A chat whose messages after the prompt are trained on.
  private mutating func completed(
    _ chat: ChatEncoder, _ prompt: [ChatMessage], _ messages: [ChatMessage], _ tools: TemplateValue, _ place: String
  ) throws -> TrainingExample {
    let whole = chat.encode(try chat.render(messages, tools: tools, prompts: false, place: place)).tokens
    return completed(whole, prompt: chat.encode(try chat.render(prompt, tools: tools, prompts: true, place: place)).tokens)
  }

  /// Tokens of which those after the prompt are trained on. Where a token of the prompt merges with the completion, the loss begins with it.
  private mutating func completed(_ tokens: [UInt32], prompt: [UInt32]) -> TrainingExample {
    let start = TokenSpans.commonPrefix(prompt, tokens)
    if start < prompt.count { counts.merged += 1 }
    return example(tokens, trained: settings.trained == .all ? [0..<tokens.count] : [start..<tokens.count], completion: start)
  }

  private func example(_ tokens: [UInt32], trained: [Range<Int>], completion: Int) -> TrainingExample {
    TrainingExample(
      tokens: tokens.map { Int32(bitPattern: $0) }, trained: trained.filter { !$0.isEmpty }, completion: completion,
      lead: beginning != nil && tokens.first == beginning ? 1 : 0)
  }
}

extension [EncodedExample] {
  /// Identifies the tokens and what the loss covers, where that is not a function of files and tokenizer alone; else empty.
  package var checksum: String {
    guard contains(where: { $0.example.completion != nil }) else { return "" }
    let stream = ChecksumStream()
    for encoded in self {
      let numbers =
        [Int32(encoded.example.tokens.count)] + encoded.example.trained.flatMap { [Int32($0.lowerBound), Int32($0.upperBound)] }
      for values in [numbers, encoded.example.tokens] { values.withUnsafeBytes { stream.update($0) } }
    }
    return " examples " + Checksum.hex(stream.value)
  }
}

extension ValidationSet {
  /// Reads and encodes files of held-out examples, one set per file with distinct names.
  /// - Parameter progress: receives a warning about special tokens that are encoded as plain text.
  package static func read(_ files: [String], examples: ExampleReader, sequence: Int, progress: Progress = .silent) throws
    -> [ValidationSet]
  {
    try zip(files, distinctNames(files)).map { file, name in
      if Files.isFolder(file) { return try ValidationSet(file: file, name: name, encoder: examples.encoder) }
      var reader = examples
      let before = examples.counts, read = try reader.read([file], sequence: sequence)
      reader.plainSpecials.note(file, progress)
      let skipped = reader.counts.untrained - before.untrained + reader.counts.dropped - before.dropped
      return try ValidationSet(read, name: name, place: file, skipped: skipped)
    }
  }

  /// - Parameter place: where the examples come from, for errors.
  package init(_ examples: [EncodedExample], name: String, place: String, skipped: Int = 0) throws {
    guard !examples.isEmpty else { throw WeirError(place, "contains no token to evaluate on", remedy: "the fewest of a document are two") }
    self.init(
      name: name,
      documents: examples.map {
        EvaluationDocument(tokens: $0.example.tokens, bytes: $0.bytes, domain: $0.domain, scored: $0.example.trained)
      }, skipped: skipped)
  }
}
