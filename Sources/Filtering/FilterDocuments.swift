import Documents
import Pipeline
import Primitives
import Synchronization

/// Drops the documents that break a rule, with the first rule they break as the reason.
///
/// Rules are evaluated in FineWeb's order whatever the order of their names: length, language, Gopher repetition, Gopher quality, C4, FineWeb.
/// C4's rules take lines out of the documents that go on (`FilterConfiguration.C4.removesLines`); the account's `extra` holds
/// `changed_documents` and the lines by rule, such as `removed_lines.c4.javascript`.
package final class FilterDocuments: Stage {
  /// The rules and thresholds.
  package let configuration: FilterConfiguration
  private let record: @Sendable (Document) -> [UInt8]
  /// Judges that no batch uses at the moment. What their tables remember changes the speed, never a verdict.
  private let idle = Mutex<[DocumentJudge]>([])

  /// Creates the stage.
  /// - Parameters:
  ///   - configuration: rules and thresholds.
  ///   - record: a document as a line for `--rejects`; called only where rejects are kept.
  /// - Throws: `WeirError` for thresholds that contradict each other.
  package init(
    _ configuration: FilterConfiguration = .init(), record: @escaping @Sendable (Document) -> [UInt8] = SerializeDocuments.line
  ) throws {
    try configuration.validate()
    self.configuration = configuration
    self.record = record
  }

  /// One account, `filter`.
  package var names: [String] { ["filter"] }

  /// Filters one batch.
  package func apply(_ batch: [Document], ledger: inout Ledger, offset: Int) throws -> [Document] {
    var judge = idle.withLock { $0.popLast() } ?? DocumentJudge(configuration)
    var kept: [Document] = []
    kept.reserveCapacity(batch.count)
    var account = Account(stage: names[0])
    for document in batch {
      account.input += 1
      account.bytesIn += document.text.count
      guard document.text.count < 1 << 32 else {
        throw WeirError(document.origin, "a text of 4 GiB or more", remedy: "leave it out with --max-document")
      }
      let verdict = judge.judge(document.text)
      for (rule, lines) in verdict.removedLines { account.extra["removed_lines.\(rule.rawValue)", default: 0] += Double(lines) }
      if let reason = verdict.reason {
        account.drop(reason)
        if ledger.keepsRejects {
          ledger.rejects.append(Reject(origin: document.origin, stage: names[0], reason: reason, record: record(document)))
        }
        continue
      }
      account.output += 1
      var document = document
      if let language = verdict.language { judge.annotate(&document, language) }
      if verdict.maskedEmails > 0 { account.extra["masked_emails", default: 0] += Double(verdict.maskedEmails) }
      if verdict.maskedAddresses > 0 { account.extra["masked_addresses", default: 0] += Double(verdict.maskedAddresses) }
      guard let text = verdict.text else {
        account.bytesOut += document.text.count
        kept.append(document)
        continue
      }
      document.text = text
      account.extra["changed_documents", default: 0] += 1
      account.bytesOut += text.count
      kept.append(document)
    }
    // What one very long text made the tables grow to is let go with them.
    if account.bytesIn <= Self.usualBatch { idle.withLock { $0.append(judge) } }
    ledger.accounts[offset].merge(account)
    return kept
  }

  /// Bytes of text; batches are of 1 MiB but for longer documents.
  private static let usualBatch = 1 << 24
}

/// What the rules say about one text.
package struct Verdict: Sendable, Equatable {
  /// The reason to drop it, such as `gopher.too_few_words`; nil to keep it.
  package var reason: String?
  /// The text to go on with where C4's rules or masks changed it.
  package var text: [UInt8]?
  /// Lines that C4's rules took out of a text that is kept, by rule.
  package var removedLines: [FilterRule: Int] = [:]
  /// The language, where it was asked for.
  package var language: LanguageModel.Answer?
  /// E-mail addresses that were replaced.
  package var maskedEmails = 0
  /// Public IP addresses that were replaced.
  package var maskedAddresses = 0
}

/// Judges texts one after another; holds the tables that all of them share.
package struct DocumentJudge: Sendable {
  private let configuration: FilterConfiguration
  private var shape = TextShape()
  private var spare = TextShape()
  private var repetition: RepetitionRules
  private let quality: QualityRules
  private let lines: LineRules
  private var fineweb: FineWebRules
  private let languages: LanguageRules?
  private var personalData = PersonalData()
  private let usesRepetition: Bool
  private let usesQuality: Bool
  private let usesLines: Bool
  private let usesFineweb: Bool

  /// Creates a judge.
  package init(_ configuration: FilterConfiguration) {
    self.configuration = configuration
    let rules = configuration.rules
    languages = LanguageRules(configuration.language)
    repetition = RepetitionRules(rules: rules, limits: configuration.gopherRepetition)
    quality = QualityRules(rules: rules, limits: configuration.gopherQuality)
    lines = LineRules(rules: rules, limits: configuration.c4)
    fineweb = FineWebRules(rules: rules, limits: configuration.fineweb)
    func uses(_ name: String) -> Bool { !rules.enabled.isDisjoint(with: FilterRules.rules(named: name) ?? []) }
    usesRepetition = uses("gopher-repetition")
    usesQuality = uses("gopher-quality")
    usesLines = uses("c4")
    usesFineweb = uses("fineweb")
  }

  /// Judges one text, in time linear in its length.
  package mutating func judge(_ text: [UInt8]) -> Verdict {
    if !configuration.rules.enabled.isEmpty { shape.measure(text) }
    if configuration.rules.contains(.tooShort), shape.counts.characters < configuration.length.minimumCharacters {
      return Verdict(reason: FilterRule.tooShort.rawValue)
    }
    if configuration.rules.contains(.tooLong), shape.counts.characters > configuration.length.maximumCharacters {
      return Verdict(reason: FilterRule.tooLong.rawValue)
    }
    var verdict = Verdict()
    if let languages {
      let answer = languages.answer(text)
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
    if configuration.masksPersonalData, let masked = personalData.mask(verdict.text ?? text) {
      verdict.text = masked
      verdict.maskedEmails = personalData.emails
      verdict.maskedAddresses = personalData.addresses
    }
    return verdict
  }

  /// Notes the language of a document that is kept.
  func annotate(_ document: inout Document, _ language: LanguageModel.Answer) { languages?.annotate(&document, language) }
}
