import Primitives

/// A chat template: the subset of Jinja that the published templates of chat models use. Anything else is refused when the template is read,
/// with its line.
///
/// Rendering equals `apply_chat_template` of transformers. There is no clock: `strftime_now` exists only if the caller names a date.
package struct ChatTemplate: Sendable {
  /// Where the template comes from, for errors.
  package let place: String
  /// Whether the template marks what the assistant generates (`{% generation %}`).
  package let hasGeneration: Bool
  let body: [TemplateStatement]
  private let words: Set<String>

  /// The text of a conversation.
  package struct Rendering: Equatable {
    /// UTF-8.
    package var text: [UInt8] = []
    /// The bytes that the assistant generates, where the template marks them; in ascending order.
    package var generated: [Range<Int>] = []

    package init() {}
  }

  /// - Throws: `WeirError` at `place:line` for what is not a template, and for what is not supported.
  package init(_ source: [UInt8], place: String) throws {
    guard String(validating: source, as: UTF8.self) != nil else { throw WeirError(place, "is not valid UTF-8") }
    guard source.count <= 1 << 20 else { throw WeirError(place, "is longer than 1 MiB") }
    var parser = try TemplateParser(source, place: place)
    body = try parser.parse()
    (self.place, hasGeneration, words) = (place, parser.hasGeneration, parser.words)
  }

  /// Whether the template refers to a variable, a member or a string of this name.
  package func mentions(_ name: String) -> Bool { words.contains(name) }

  /// - Parameters:
  ///   - variables: such as `messages`, `bos_token` and `add_generation_prompt`.
  ///   - date: the day for `strftime_now`; nil leaves it undefined.
  ///   - budget: the most operations.
  /// - Throws: `WeirError` at `place:line` where the template fails, such as by `raise_exception`.
  package func render(_ variables: [String: TemplateValue], date: TemplateDate? = nil, budget: Int = 10_000_000) throws -> Rendering {
    var run = TemplateRun(place: place, date: date, budget: budget)
    for (name, value) in variables { run.scope[name] = value }
    try run.execute(body)
    return run.rendering
  }
}
