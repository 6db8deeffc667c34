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
    document.set([("language", "\"\(answer.language)\""), ("language_score", "\(score)")])
  }
}
