import Primitives
import Storage
import Tokenization
import Training

/// Multiple-choice questions as JSON Lines: `question`, `choices` (strings) and `answer` (the index of the right choice).
enum ChoiceFile {
  private static func parse(_ text: ArraySlice<UInt8>, place: String) throws -> (question: String, choices: [String], answer: Int) {
    let root = try JSONDocument(Array(text), place: place).root
    guard let question = root["question"]?.string else { throw WeirError(place, "\"question\" is not a string") }
    guard let nodes = root["choices"]?.array, nodes.count > 1 else { throw WeirError(place, "\"choices\" is not a list of at least two") }
    let choices = nodes.compactMap(\.string).filter { !$0.isEmpty }
    guard choices.count == nodes.count else { throw WeirError(place, "\"choices\" contains an entry that is not a non-empty string") }
    guard let answer = root["answer"]?.int, choices.indices.contains(answer) else {
      throw WeirError(place, "\"answer\" is not the index of a choice (0…\(choices.count - 1))")
    }
    return (question, choices, answer)
  }

  /// Reads and encodes the questions of a file.
  /// - Parameters:
  ///   - path: JSON Lines, plain or compressed.
  ///   - tokenizer: the tokenizer of the model.
  ///   - start: the token that replaces an empty question.
  static func read(_ path: String, _ tokenizer: Tokenizer, start: Int32?) throws -> [ChoiceQuestion] {
    let bytes = try ByteReader(path).readAll()
    var questions: [ChoiceQuestion] = []
    for (index, text) in bytes.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
      guard text.contains(where: { $0 > 0x20 }) else { continue }
      let place = "\(path):\(index + 1)", line = try parse(text, place: place)
      questions.append(
        ChoiceQuestion(
          choices: try line.choices.map { try encode(line.question, $0, tokenizer, start: start, place: place) }, answer: line.answer))
    }
    guard !questions.isEmpty else {
      throw WeirError(path, "contains no questions", remedy: "expected lines {\"question\": …, \"choices\": […], \"answer\": …}")
    }
    return questions
  }

  /// Encodes a question and a choice as lm-evaluation-harness does: white space at the end of the question moves to the choice, both are
  /// encoded together, and the tokens beyond those of the question alone are the choice's.
  private static func encode(
    _ question: String, _ choice: String, _ tokenizer: Tokenizer, start: Int32?, place: String
  ) throws -> ChoiceQuestion.Choice {
    var scalars = Array(question.unicodeScalars), tail: [Unicode.Scalar] = []
    while let last = scalars.last, last.properties.isWhitespace || (0x1C...0x1F).contains(last.value) {
      tail.insert(scalars.removeLast(), at: 0)
    }
    func encode(_ scalars: [Unicode.Scalar]) -> [Int32] {
      var text = String.UnicodeScalarView()
      text.append(contentsOf: scalars)
      return tokenizer.encode(String(text)).map { Int32($0) }
    }
    let whole = encode(scalars + tail + Array(" \(choice)".unicodeScalars)), own = encode(scalars).count
    let tokens: [Int32], scored: Int
    if own > 0 {
      (tokens, scored) = (whole, whole.count - own)
    } else {
      guard let start else { throw WeirError(place, "the question is empty, and the model has no token that starts a text") }
      // A text that already starts with that token does not get a second one.
      tokens = whole.first == start ? whole : [start] + whole
      scored = tokens.count - 1
    }
    guard scored > 0 else { throw WeirError(place, "the choice \"\(choice)\" adds no token to the question") }
    return ChoiceQuestion.Choice(tokens: tokens, scored: scored, characters: choice.unicodeScalars.count, bytes: choice.utf8.count)
  }
}
