import Documents
import Foundation
import Pipeline
import Primitives

/// Drops documents that break a rule; the first rule they break is the reason.
///
/// Rules are evaluated in FineWeb's order, whatever the order in `--rules`: length, language, Gopher repetition, Gopher quality, C4, FineWeb.
/// C4's rules remove lines from documents that stay (`FilterConfiguration.C4.removesLines`); the account's `extra` contains
/// `changed_documents` and the removed lines by rule, such as `removed_lines.c4.javascript`.
package struct FilterDocuments: RecordStage {
  package let name: String? = "filter"
  package let workers: WorkerPool<FilterWorker>

  /// - Parameter losses: counts what each rule drops from each domain; nil for no such table.
  /// - Throws: `WeirError` for thresholds that contradict each other.
  package init(_ configuration: FilterConfiguration = .init(), losses: FilterLosses? = nil) throws {
    try configuration.validate()
    // What one very long text made the tables grow to is freed.
    workers = WorkerPool(limit: 1 << 24) { FilterWorker(configuration, losses) }
  }
}

/// Applies the verdicts of a `DocumentJudge` to documents.
package struct FilterWorker: RecordWorker {
  private var judge: DocumentJudge
  private var counts: [String: Double] = [:]
  private let losses: FilterLosses?
  /// The losses of the batch.
  private var found: FilterLosses.Counts?

  fileprivate init(_ configuration: FilterConfiguration, _ losses: FilterLosses?) {
    judge = DocumentJudge(configuration)
    self.losses = losses
    found = losses?.counts()
  }

  package mutating func decide(_ document: Document) throws -> Decision<Document> {
    guard document.text.count < 1 << 32 else {
      throw WeirError(document.origin, "a text of 4 GiB or more", remedy: "exclude it with --max-document")
    }
    let verdict = judge.judge(document.text)
    for (rule, lines) in verdict.removedLines { count("removed_lines.\(rule.rawValue)", lines) }
    try found?.count(document, verdict.violation)
    if let violation = verdict.violation { return .drop(violation.reason, measured: violation.finiteMeasure, limit: violation.limit) }
    var document = document
    if let language = verdict.language { judge.annotate(&document, language) }
    if verdict.maskedEmails > 0 { count("masked_emails", verdict.maskedEmails) }
    if verdict.maskedAddresses > 0 { count("masked_addresses", verdict.maskedAddresses) }
    if let text = verdict.text {
      document.text = text
      count("changed_documents", 1)
    }
    return .keep(document)
  }

  package mutating func takeCounts() -> [String: Double] {
    if let found { losses?.add(found) }
    found = losses?.counts()
    defer { counts = [:] }
    return counts
  }

  private mutating func count(_ name: String, _ number: Int) { counts[name, default: 0] += Double(number) }
}

/// The result of the rules for one text.
package struct Verdict: Sendable, Equatable {
  /// Why to drop it; nil to keep it.
  package var violation: Violation?
  /// Such as `gopher.too_few_words`.
  package var reason: String? { violation?.reason }
  /// The new text where C4's rules or masking changed it.
  package var text: [UInt8]?
  /// Lines that C4's rules removed from a text that is kept, by rule.
  package var removedLines: [FilterRule: Int] = [:]
  /// The language, where the configuration asks for it.
  package var language: LanguageModel.Answer?
  package var maskedEmails = 0
  /// Masked public IP addresses.
  package var maskedAddresses = 0

  init() {}
  init(reason: Violation) { violation = reason }
}

/// Judges one text after another and holds the tables that they share.
package struct DocumentJudge: Sendable {
  private let configuration: FilterConfiguration
  private var shape = TextShape()
  private var spare = TextShape()
  private var repetition: RepetitionRules
  private let quality: QualityRules
  private let lines: LineRules
  private var fineweb: FineWebRules
  private let languages: LanguageRules?
  private var personalData: PersonalData
  private let usesRepetition: Bool
  private let usesQuality: Bool
  private let usesLines: Bool
  private let usesFineweb: Bool

  package init(_ configuration: FilterConfiguration) {
    self.configuration = configuration
    let rules = configuration.rules
    languages = LanguageRules(configuration.language)
    repetition = RepetitionRules(rules: rules, limits: configuration.gopherRepetition)
    personalData = PersonalData(isStrict: configuration.masksStrictly)
    quality = QualityRules(rules: rules, limits: configuration.gopherQuality)
    lines = LineRules(rules: rules, limits: configuration.c4)
    fineweb = FineWebRules(rules: rules, limits: configuration.fineweb)
    func uses(_ name: String) -> Bool { !rules.enabled.isDisjoint(with: FilterRules.rules(named: name) ?? []) }
    usesRepetition = uses("gopher-repetition")
    usesQuality = uses("gopher-quality")
    usesLines = uses("c4")
    usesFineweb = uses("fineweb")
  }

  /// Judges one text, in time linear in its length. Carriage returns count as the line ends that they stand for, so that a text is judged
  /// alike whatever system it was written on.
  package mutating func judge(_ text: [UInt8]) -> Verdict {
    let lines = Self.withUnixLines(text)
    var verdict = judgeLines(lines ?? text)
    // C4's rules join the lines that remain with `\n`.
    if let lines, verdict.reason == nil, verdict.text == nil, usesLines, configuration.c4.removesLines { verdict.text = lines }
    if verdict.reason == nil, configuration.masksPersonalData, let masked = personalData.mask(verdict.text ?? text) {
      verdict.text = masked
      verdict.maskedEmails = personalData.emails
      verdict.maskedAddresses = personalData.addresses
    }
    return verdict
  }

  /// A text with `\n` in place of `\r\n` and `\r`; nil where it has neither.
  private static func withUnixLines(_ text: [UInt8]) -> [UInt8]? {
    let found = text.withUnsafeBytes { bytes in
      bytes.baseAddress.flatMap { base in memchr(base, 0x0D, bytes.count).map { UnsafeRawPointer($0) - base } }
    }
    guard let first = found else { return nil }
    var result = Array(text[..<first])
    result.reserveCapacity(text.count)
    var index = first
    while index < text.count {
      if text[index] != 0x0D {
        result.append(text[index])
      } else if index + 1 == text.count || text[index + 1] != 0x0A {
        result.append(0x0A)
      }
      index += 1
    }
    return result
  }

  private mutating func judgeLines(_ text: [UInt8]) -> Verdict {
    if !configuration.rules.enabled.isEmpty { shape.measure(text) }
    let (rules, length) = (configuration.rules, configuration.length)
    let reason =
      rules.reason(.tooShort, Double(shape.counts.characters), below: Double(length.minimumCharacters))
      ?? rules.reason(.tooLong, Double(shape.counts.characters), above: Double(length.maximumCharacters))
    if let reason { return Verdict(reason: reason) }
    var verdict = Verdict()
    if let languages {
      let answer = LanguageModel.language(of: text)
      if let reason = languages.reason(answer) { return Verdict(reason: reason) }
      verdict.language = answer
    }
    if usesRepetition, let reason = repetition.reason(text, shape) { return Verdict(reason: reason) }
    if usesQuality, let reason = quality.reason(text, shape) { return Verdict(reason: reason) }
    if usesLines {
      let outcome = lines.judge(text, shape, spare: &spare)
      if let reason = outcome.reason { return Verdict(reason: reason) }
      verdict.text = outcome.text
      verdict.removedLines = outcome.removed
    }
    if usesFineweb {
      if let changed = verdict.text { shape.measure(changed) }
      if let reason = fineweb.reason(shape) { return Verdict(reason: reason) }
    }
    return verdict
  }

  /// Adds the language to a document that is kept.
  func annotate(_ document: inout Document, _ language: LanguageModel.Answer) { languages?.annotate(&document, language) }
}
