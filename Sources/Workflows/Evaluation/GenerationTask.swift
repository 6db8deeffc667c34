import Pipeline
import Primitives
import Storage
import Tokenization
import Training

/// An item of a generation task: a prompt, and the answers that count as correct.
struct TaskItem {
  /// The tokens of the prompt.
  var prompt: [Int32]
  var answers: [String]
  /// Texts that end the output; they are not part of it.
  var stops: [String]
  /// The most tokens to generate.
  var tokens: Int
}

/// The output for an item of a generation task.
struct TaskOutput: Encodable {
  /// The place of the item in its file, from 0.
  var item: Int
  var output: String
  var answer: [String]
  var correct: Bool
}

/// A line of the file of outputs.
struct TaskDetail: Encodable {
  let task: String
  let output: TaskOutput

  private enum CodingKeys: String, CodingKey { case task }

  func encode(to encoder: any Encoder) throws {
    try output.encode(to: encoder)
    var members = encoder.container(keyedBy: CodingKeys.self)
    try members.encode(task, forKey: .task)
  }
}

/// The fraction of a task's items whose output equals an answer.
package struct TaskEvaluation: Codable, Sendable, Equatable {
  package var name: String
  package var items: Int
  package var exactMatch: Double
  /// Wilson's interval of the fraction, 95 %.
  package var interval: [Double]
  /// Items whose prompt is cut off at its beginning, because it exceeds the context; nil for none.
  package var truncated: Int?

  enum CodingKeys: String, CodingKey {
    case name, items, truncated
    case exactMatch = "exact_match"
    case interval = "exact_match_interval"
  }

  init(name: String, items: [TaskItem], outputs: [TaskOutput], sequence: Int) {
    let correct = outputs.count { $0.correct }, range = Statistics.wilson(correct, of: outputs.count)
    (self.name, self.items) = (name, outputs.count)
    exactMatch = Double(correct) / Double(outputs.count)
    interval = [range.lowerBound, range.upperBound]
    let long = items.count { $0.prompt.count > sequence }
    truncated = long > 0 ? long : nil
  }
}

extension TaskItem {
  /// Continues every prompt by greedy decoding.
  static func outputs(
    of items: [TaskItem], _ generation: ParallelGeneration, stops: Set<Int32>, encoder: DocumentEncoder, sequence: Int, ignoresCase: Bool,
    _ progress: Progress
  ) throws -> [TaskOutput] {
    var decoding = DecodingConfiguration()
    decoding.temperature = 0
    // As many as the longest item takes.
    let positions = items.reduce(1) { max($0, min(sequence, $1.prompt.count + min(sequence, $1.tokens))) }
    return try generation.map(items.count, positions: positions, progress) { index, generator in
      let item = items[index]
      let ends = item.stops.map { Array($0.utf8) }
      var text: [UInt8] = []
      try generator.generate(
        prompt: item.prompt, lead: encoder.template.prefix.count, count: item.tokens, decoding: decoding, stops: stops
      ) { id in
        text += encoder.tokenizer.bytes(of: UInt32(id))
        return !ends.contains { text.firstRange(of: $0) != nil }
      }
      let end = ends.compactMap { text.firstRange(of: $0)?.lowerBound }.min() ?? text.count
      let output = String(decoding: text[..<end], as: UTF8.self), normal = output.normalized(ignoresCase: ignoresCase)
      return TaskOutput(
        item: index, output: output, answer: item.answers,
        correct: item.answers.contains { $0.normalized(ignoresCase: ignoresCase) == normal })
    }
  }
}

extension String {
  /// The UTF-8 without white space at both ends, and optionally in lower case.
  fileprivate func normalized(ignoresCase: Bool) -> [UInt8] {
    let scalars = unicodeScalars, isSpace = { (scalar: Unicode.Scalar) in scalar.properties.isWhitespace }
    let start = scalars.firstIndex { !isSpace($0) } ?? scalars.endIndex
    let end = scalars.lastIndex { !isSpace($0) }.map { scalars.index(after: $0) } ?? start
    let text = String(scalars[start..<end])
    return Array((ignoresCase ? text.lowercased() : text).utf8)
  }
}

/// Generation tasks as JSON Lines: `prompt`, `answer` (a string or several), and optionally `stop` (the same) and `max_tokens`.
enum TaskFile {
  private static let defaultTokens = 64

  /// Reads and encodes the items of a file.
  /// - Parameters:
  ///   - path: JSON Lines, plain or compressed.
  ///   - encoder: that of the model.
  ///   - start: the token that replaces an empty prompt.
  ///   - sequence: positions of the context.
  ///   - progress: receives a warning about special tokens that are encoded as plain text.
  static func read(
    _ path: String, _ encoder: DocumentEncoder, start: Int32?, sequence: Int, progress: Progress
  ) throws -> [TaskItem] {
    let bytes = try ByteReader(path).readAll()
    var items: [TaskItem] = [], specials = PlainSpecials(), encoder = encoder
    for (index, text) in bytes.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
      guard text.contains(where: { $0 > 0x20 }) else { continue }
      let place = "\(path):\(index + 1)"
      let root = try JSONDocument(Array(text), place: place, lenient: true).root
      guard let prompt = root["prompt"]?.string else { throw WeirError(place, "\"prompt\" is not a string") }
      guard let answers = strings(root["answer"]), !answers.isEmpty else {
        throw WeirError(place, "\"answer\" is neither a string nor a list of strings")
      }
      guard let stops = root["stop"].map({ $0.isNull ? [] : strings($0) }) ?? [], !stops.contains("") else {
        throw WeirError(place, "\"stop\" is neither a text nor a list of texts")
      }
      var tokens = defaultTokens
      if let limit = root["max_tokens"], !limit.isNull {
        guard let count = limit.int, count > 0 else { throw WeirError(place, "\"max_tokens\" is not a positive number") }
        tokens = count
      }
      specials.add(encoder.plainSpecials(in: Array(prompt.utf8)))
      var ids = encoder.encode(text: Array(prompt.utf8)).map { Int32(bitPattern: $0) }
      if prompt.isEmpty {
        guard let start else { throw WeirError(place, "the prompt is empty, and the model has no token that starts a text") }
        ids = [start]
      }
      items.append(TaskItem(prompt: ids, answers: answers, stops: stops, tokens: tokens))
    }
    guard !items.isEmpty else {
      throw WeirError(path, "contains no items", remedy: "expected lines {\"prompt\": …, \"answer\": …}")
    }
    specials.note(path, progress)
    return items
  }

  /// A string, or a list of strings.
  private static func strings(_ node: JSONNode?) -> [String]? {
    if let text = node?.string { return [text] }
    guard let nodes = node?.array else { return nil }
    let texts = nodes.compactMap(\.string)
    return texts.count == nodes.count ? texts : nil
  }
}
