import ChatTemplates
import Primitives
import Storage
import Tokenization
import Training

/// Renders chats with a template and encodes them, with what the assistant says.
///
/// Tokens equal `apply_chat_template` of transformers. Control tokens in the text of messages are control tokens, as there, or with
/// `sanitizes` plain text, as with `sanitize_control_tokens`.
struct ChatEncoder {
  private let tokenizer: Tokenizer
  private let template: ChatTemplate
  private let date: TemplateDate?
  private let specials: [String: TemplateValue]
  private let sanitizes: Bool

  /// What begins and ends a control token that is plain text: scalars for private use, U+F0000 and U+F0001, as in transformers.
  private static let marks = (begin: [0xF3, 0xB0, 0x80, 0x80] as [UInt8], end: [0xF3, 0xB0, 0x80, 0x81] as [UInt8])

  init(_ tokenizer: Tokenizer, folder: String, _ settings: ExampleSettings) throws {
    self.tokenizer = tokenizer
    template = try ChatTemplate.find(settings.chatTemplate, folder: folder)
    date = settings.chatDate.flatMap(TemplateDate.init)
    specials = try Models.specialTokens(folder).mapValues { .text($0) }
    sanitizes = settings.sanitizesControlTokens
    if let name = settings.chatTemplate, let missing = ChatTemplate.markers(of: name).first(where: { tokenizer.addedToken($0) == nil }) {
      throw WeirError(
        "chatTemplate", "the tokenizer has no token \(missing), which \(name) needs",
        remedy: "choose the template that the model was trained with, or add the token to the tokenizer")
    }
  }

  /// Throws where the template would leave out what an example contains.
  func check(_ messages: [ChatMessage], tools: TemplateValue, place: String) throws {
    func refuse(_ what: String) -> WeirError {
      WeirError(place, "\(what), which the chat template \(template.place) leaves out", remedy: "remove the line, or name another template")
    }
    if case .list = tools, !template.mentions("tools") { throw refuse("has tools") }
    guard messages.contains(where: { $0.callsTools || $0.role == "tool" }) else { return }
    guard template.mentions("tool_calls"), template.mentions("tool") || template.mentions("ipython") else { throw refuse("calls tools") }
  }

  /// The text of messages.
  func render(
    _ messages: some Collection<ChatMessage>, tools: TemplateValue, prompts: Bool, place: String
  ) throws -> ChatTemplate.Rendering {
    let change = sanitizes ? { marked($0) } : nil
    var variables = specials
    variables["messages"] = .list(messages.map { $0.value(change) })
    variables["tools"] = change.map { tools.mappingStrings($0) } ?? tools
    variables["documents"] = TemplateValue.none
    variables["add_generation_prompt"] = .bool(prompts)
    do { return try template.render(variables, date: date) } catch let error as WeirError {
      throw WeirError(place, "\(error.place): \(error.reason)", remedy: error.remedy)
    }
  }

  private func marked(_ text: [UInt8]) -> [UInt8] {
    let text = Self.pieces(text).flatMap(\.text), found = tokenizer.specialTokens(in: text)
    guard !found.isEmpty else { return text }
    var result: [UInt8] = [], done = 0
    for range in found {
      result += text[done..<range.lowerBound] + Self.marks.begin + text[range] + Self.marks.end
      done = range.upperBound
    }
    return result + text[done...]
  }

  /// The text between marks, and whether it is a control token that is plain text. A mark without its partner, which a template may have cut
  /// off, only divides the text.
  private static func pieces(_ text: [UInt8]) -> [(text: [UInt8], isPlain: Bool)] {
    var pieces: [(text: [UInt8], isPlain: Bool)] = [([], false)], index = 0, isOpen = false
    while index < text.count {
      let isBegin = text[index] == marks.begin[0] && text[index...].starts(with: marks.begin)
      if isBegin || text[index] == marks.end[0] && text[index...].starts(with: marks.end) {
        if isOpen, !isBegin { pieces[pieces.count - 1].isPlain = true }
        isOpen = isBegin
        pieces.append(([], false))
        index += marks.begin.count
      } else {
        pieces[pieces.count - 1].text.append(text[index])
        index += 1
      }
    }
    return pieces
  }

  /// The tokens of a rendering, and its text and spans without marks.
  func encode(_ rendering: ChatTemplate.Rendering) -> (tokens: [UInt32], rendering: ChatTemplate.Rendering) {
    guard sanitizes else { return (tokenizer.encode(rendering.text, allowsSpecials: true), rendering) }
    let newline = tokenizer.encode([0x0A])
    var tokens: [UInt32] = [], clean = ChatTemplate.Rendering(), starts: [Int] = []
    for (index, piece) in Self.pieces(rendering.text).enumerated() {
      starts.append(clean.text.count)
      clean.text += piece.text
      guard !piece.text.isEmpty else { continue }
      // Behind a newline, so that no space is put before a piece in the middle, as transformers does.
      let own = tokenizer.encode(index == 0 ? piece.text : [0x0A] + piece.text, allowsSpecials: !piece.isPlain)
      if index == 0 {
        tokens += own
      } else {
        tokens +=
          own.starts(with: newline) ? Array(own.dropFirst(newline.count)) : tokenizer.encode(piece.text, allowsSpecials: !piece.isPlain)
      }
    }
    // Each mark before a position has moved it.
    let length = Self.marks.begin.count
    func moved(_ position: Int) -> Int {
      position - length * starts.indices.dropFirst().prefix { starts[$0] + length * $0 <= position }.count
    }
    clean.generated = rendering.generated.map { moved($0.lowerBound)..<moved($0.upperBound) }
    return (tokens, clean)
  }

  // MARK: What the assistant says

  /// The bytes of the assistant's turns in the text of a chat: those that the template marks, or else what follows each prompt.
  func spoken(
    _ messages: [ChatMessage], tools: TemplateValue, in whole: ChatTemplate.Rendering, place: String
  ) throws -> [Range<Int>] {
    guard !template.hasGeneration else { return whole.generated }
    var spans: [Range<Int>] = []
    for index in messages.indices where messages[index].role == "assistant" {
      func rendered(_ messages: ArraySlice<ChatMessage>, prompts: Bool) throws -> [UInt8] {
        try render(messages, tools: tools, prompts: prompts, place: place).text
      }
      // The turn begins where the chat leaves the prompt. Some templates begin an answer in the prompt, such as its reasoning; all before
      // that is the same.
      let history = try rendered(messages[..<index], prompts: false), prompt = try rendered(messages[..<index], prompts: true)
      let through = try rendered(messages[...index], prompts: false), start = Self.common(prompt[...], whole.text[...])
      guard start >= Self.common(prompt[...], history[...]), through.starts(with: whole.text[..<start]),
        let length = turn(through[start...], in: whole.text[start...], content: messages[index].content)
      else {
        throw WeirError(
          place,
          "the chat template \(template.place) writes turn \(index) differently within the whole chat, so its tokens cannot be found",
          remedy: "train on the last turn only, or name a template that marks the turns with {% generation %}")
      }
      spans.append(start..<start + length)
    }
    return spans
  }

  private static func common(_ one: ArraySlice<UInt8>, _ other: ArraySlice<UInt8>) -> Int { zip(one, other).prefix { $0 == $1 }.count }

  /// The length of a turn within a chat, given its text as the last turn, which may have more at its beginning, such as empty reasoning, or at
  /// its end, such as the end of the text. Nil where the turn does not have the end of its content in common with that.
  private func turn(_ last: ArraySlice<UInt8>, in rest: ArraySlice<UInt8>, content: [UInt8]) -> Int? {
    if rest.starts(with: last) { return last.count }
    let line = (sanitizes ? marked(content) : content).split(separator: 0x0A).last { $0.contains { $0 > 0x20 } } ?? []
    let ending = Array(line.drop { $0 <= 0x20 }.reversed().drop { $0 <= 0x20 }.reversed())
    func holds(_ text: ArraySlice<UInt8>) -> Bool { ending.isEmpty || text.indices.contains { text[$0...].starts(with: ending) } }
    if let start = last.indices.first(where: { last[$0] == rest.first && rest.starts(with: last[$0...]) }), holds(last[start...]) {
      return last.count - (start - last.startIndex)
    }
    // Up to the last control token in common, and white space after it.
    let shared = Array(rest.prefix(Self.common(last, rest)))
    guard let end = tokenizer.specialTokens(in: shared).last?.upperBound else { return nil }
    let length = end + shared[end...].prefix { $0 <= 0x20 }.count
    return holds(rest.prefix(length)) ? length : nil
  }
}
