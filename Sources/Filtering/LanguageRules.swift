import Documents

/// Drops documents in other than the wanted languages, and annotates the language if asked to.
struct LanguageRules: Sendable {
  private let limits: FilterConfiguration.Language

  /// nil if the configuration asks for nothing.
  init?(_ limits: FilterConfiguration.Language) {
    guard !limits.keeps.isEmpty || limits.annotates else { return nil }
    self.limits = limits
  }

  /// The reason to drop a text in this language: `language.de` if German is not wanted, `language.uncertain_de` if it is and the score is low.
  func reason(_ answer: LanguageModel.Answer) -> Violation? {
    if limits.keeps.isEmpty { return nil }
    if !limits.keeps.contains(answer.language) { return Violation(reason: "language.\(answer.language)") }
    guard answer.language != "und", answer.score < limits.threshold else { return nil }
    return Violation(reason: "language.uncertain_\(answer.language)", measured: Double(answer.score), limit: limits.threshold)
  }

  /// Appends the members `language` and `language_score`, replacing members of these names.
  func annotate(_ document: inout Document, _ answer: LanguageModel.Answer) {
    guard limits.annotates else { return }
    let score = (answer.score * 10_000).rounded() / 10_000
    let noted = Array("\"language\": \"\(answer.language)\", \"language_score\": \(score)".utf8)
    let members = Self.members(document.members)
    let others = members.filter { !$0.starts(with: Self.language) && !$0.starts(with: Self.score) }
    // Without such members, the others stay byte for byte.
    let kept = others.count == members.count ? [document.members[...]] : others
    document.members = Array((kept.filter { !$0.isEmpty } + [noted[...]]).joined(separator: Array(", ".utf8)))
  }

  private static let language = Array("\"language\"".utf8)
  private static let score = Array("\"language_score\"".utf8)

  /// The members of an object without its braces, trimmed.
  private static func members(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
    var found: [ArraySlice<UInt8>] = []
    var start = bytes.startIndex
    var depth = 0
    var isString = false
    var isEscaped = false
    func add(_ end: Int) {
      let member = bytes[start..<end].drop { $0 <= 0x20 }
      if !member.isEmpty { found.append(member) }
    }
    for (index, byte) in bytes.enumerated() {
      if isEscaped {
        isEscaped = false
      } else if isString {
        if byte == 0x5C { isEscaped = true } else if byte == 0x22 { isString = false }
      } else {
        switch byte {
        case 0x22: isString = true
        case 0x5B, 0x7B: depth += 1
        case 0x5D, 0x7D: depth -= 1
        case 0x2C where depth == 0:
          add(index)
          start = index + 1
        default: break
        }
      }
    }
    add(bytes.endIndex)
    return found
  }
}
