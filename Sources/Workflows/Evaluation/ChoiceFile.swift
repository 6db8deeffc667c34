import Pipeline
import Primitives
import Storage
import Tokenization
import Training

/// Multiple-choice questions as JSON Lines: `question`, `choices` (strings) and `answer` (the index of the right choice).
enum ChoiceFile {
  private static func parse(_ text: ArraySlice<UInt8>, place: String) throws -> (question: String, choices: [String], answer: Int) {
    let root = try JSONDocument(Array(text), place: place, lenient: true).root
    guard let question = root["question"]?.string else { throw WeirError(place, "\"question\" is not a string") }
    guard let nodes = root["choices"]?.array, nodes.count > 1 else { throw WeirError(place, "\"choices\" is not a list of at least two") }
    let choices = try nodes.enumerated().map { index, node in
      guard let choice = node.string else { throw WeirError(place, "choices[\(index)] is not a string") }
      guard !choice.allSatisfy(\.isWhitespace) else {
        throw WeirError(place, "choices[\(index)] is empty", remedy: "give a text for every choice")
      }
      return choice
    }
    guard let answer = root["answer"]?.int, choices.indices.contains(answer) else {
      throw WeirError(place, "\"answer\" is not the index of a choice (0…\(choices.count - 1))")
    }
    return (question, choices, answer)
  }

  /// Reads and encodes the questions of a file.
  /// - Parameters:
  ///   - path: JSON Lines, plain or compressed.
  ///   - encoder: that of the model.
  ///   - start: the token that replaces an empty question.
  ///   - sequence: positions of the context.
  ///   - progress: receives a warning about special tokens that are encoded as plain text.
  static func read(
    _ path: String, _ encoder: DocumentEncoder, start: Int32?, sequence: Int, progress: Progress
  ) throws -> [ChoiceQuestion] {
    let bytes = try ByteReader(path).readAll()
    var questions: [ChoiceQuestion] = [], specials = PlainSpecials()
    defer { specials.note(path, progress) }
    for (index, text) in bytes.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
      guard text.contains(where: { $0 > 0x20 }) else { continue }
      let place = "\(path):\(index + 1)", line = try parse(text, place: place)
      for text in [line.question] + line.choices { specials.add(encoder.plainSpecials(in: Array(text.utf8))) }
      let choices = try line.choices.enumerated().map { number, text in
        let choice = try encode(line.question, text, encoder, start: start, place: place)
        guard choice.scored <= sequence else {
          throw WeirError(place, "choices[\(number)] has \(choice.scored) tokens, more than the \(sequence) positions of the context")
        }
        return choice
      }
      questions.append(ChoiceQuestion(choices: choices, answer: line.answer))
    }
    guard !questions.isEmpty else {
      throw WeirError(path, "contains no questions", remedy: "expected lines {\"question\": …, \"choices\": […], \"answer\": …}")
    }
    return questions
  }

  /// Encodes a question and a choice as lm-evaluation-harness does: white space at the end of the question moves to the choice, both are
  /// encoded together, and the tokens beyond those of the question alone are the choice's.
  private static func encode(
    _ question: String, _ choice: String, _ encoder: DocumentEncoder, start: Int32?, place: String
  ) throws -> ChoiceQuestion.Choice {
    var scalars = Array(question.unicodeScalars), tail: [Unicode.Scalar] = [], encoder = encoder
    while let last = scalars.last, last.properties.isWhitespace || (0x1C...0x1F).contains(last.value) {
      tail.insert(scalars.removeLast(), at: 0)
    }
    // An empty question has the starting token instead of the template.
    if question.isEmpty { encoder = DocumentEncoder(encoder.tokenizer, allowsSpecials: encoder.allowsSpecials) }
    func encode(_ scalars: [Unicode.Scalar]) -> [Int32] {
      var text = String.UnicodeScalarView()
      text.append(contentsOf: scalars)
      return encoder.encode(text: Array(String(text).utf8)).map { Int32($0) }
    }
    let whole = encode(scalars + tail + Array(" \(choice)".unicodeScalars))
    var tokens = encode(scalars), own = tokens.count
    if own == 0 {
      guard let start else { throw WeirError(place, "the question is empty, and the model has no token that starts a text") }
      // A text that already starts with that token does not get a second one.
      (tokens, own) = ([start], whole.first == start ? 1 : 0)
    }
    tokens += whole.dropFirst(own)
    let scored = whole.count - own
    guard scored > 0 else { throw WeirError(place, "the choice \"\(choice)\" adds no token to the question") }
    return ChoiceQuestion.Choice(tokens: tokens, scored: scored, characters: choice.unicodeScalars.count, bytes: choice.utf8.count)
  }
}
