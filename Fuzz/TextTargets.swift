import ChatTemplates
import Deduplication
import Filtering
import Pipeline
import Primitives

@testable import Artifacts
@testable import Documents
@testable import Tokens

/// Stages whose kernels split arbitrary text into words, lines and scalars.
extension FuzzTarget {
  /// Up to eight documents, separated by the byte 0xFF in the input, with text made valid UTF-8, as in every document.
  private static func documents(_ input: [UInt8]) -> [Document] {
    input.split(separator: 0xFF, maxSplits: 7, omittingEmptySubsequences: false).enumerated().map { number, bytes in
      Document(id: "\(number)", text: Array(String(decoding: bytes, as: UTF8.self).utf8), origin: "x:\(number + 1)")
    }
  }

  /// Every rule, language identification and masking: no document is lost, and no verdict depends on other documents in the batch.
  static func filters(_ input: [UInt8]) throws {
    let documents = documents(input)
    for stage in filterStages { try filter(documents, by: stage) }
  }

  private static func filter(_ documents: [Document], by stage: FilterDocuments) throws {
    func filtered(_ batch: [Document]) throws -> [Document] {
      var tally = Tally(stage: stage.name ?? "", keepsRejects: true)
      let kept = try stage.apply(batch, tally: &tally)
      if !tally.account.isBalanced || tally.account.output != kept.count { finding("a document is lost") }
      if kept.contains(where: { String(validating: $0.text, as: UTF8.self) == nil }) { finding("a kept text is not valid UTF-8") }
      return kept
    }
    let together = try filtered(documents)
    if try documents.flatMap({ try filtered([$0]) }) != together { finding("a verdict depends on other documents") }
  }

  /// A template that is read also renders or fails, twice in the same way, and marks nothing outside of its text.
  static func template(_ input: [UInt8]) throws {
    let template = try ChatTemplate(input, place: "x")
    let messages = [("user", "a\nb"), ("assistant", " né ")].map { role, content in
      var message = TemplateDictionary()
      message.set("role", .text(role))
      message.set("content", .text(content))
      return TemplateValue.dictionary(message)
    }
    let variables: [String: TemplateValue] = ["messages": .list(messages), "bos_token": .text("<s>"), "add_generation_prompt": .bool(true)]
    let rendering = try template.render(variables, date: TemplateDate("2024-02-29"), budget: 20_000)
    if try template.render(variables, date: TemplateDate("2024-02-29"), budget: 20_000) != rendering { finding("two renderings differ") }
    if let last = rendering.generated.last, last.upperBound > rendering.text.count { finding("a span outside of the text") }
  }

  /// Fingerprints, shingles, signatures and evaluation texts: nothing reads out of bounds, and every text is a duplicate of itself.
  static func duplicates(_ input: [UInt8]) throws {
    let documents = documents(input)
    var tally = Tally(stage: "one", keepsRejects: true)
    for unit in [ExactUnit.documents, .paragraphs, .lines] {
      blackHole += HashDocuments(unit).apply(documents, tally: &tally).documents.count
    }
    blackHole += try ShingleDocuments().apply(documents, tally: &tally).documents.count
    let signatures = try SignDocuments().apply(documents + documents, tally: &tally)
    if signatures[..<(signatures.count / 2)] != signatures[(signatures.count / 2)...] { finding("a text has two signatures") }
    for document in documents {
      let shingles = ShingleDocuments.shingles(document.text)
      if zip(shingles, shingles.dropFirst()).contains(where: { $0 >= $1 }) { finding("shingles are not in ascending order") }
      if !shingles.isEmpty, ShingleDocuments.similarity(shingles, shingles) != 1 { finding("a text is not similar to itself") }
    }
    guard let index = try? EvaluationIndex([documents[0]]), index.tooShort == 0 else { return }
    let kept = try Decontaminate(index).apply(documents, tally: &tally)
    if kept.first?.id == documents[0].id { finding("an evaluation text is not found in itself") }
    var configuration = DecontaminationConfiguration()
    (configuration.words, configuration.minimumWords, configuration.margin, configuration.minimumPiece) = (2, 1, 3, 1)
    configuration.cuts = true
    let cut = try Decontaminate(EvaluationIndex([documents[0]], configuration: configuration)).apply(documents, tally: &tally)
    if cut.contains(where: { String(validating: $0.text, as: UTF8.self) == nil }) { finding("a text is not valid UTF-8 after a cut") }
  }
}

/// One stage per group of rules, because a document skips all rules after the first one it breaks; the last one identifies languages and
/// masks.
private let filterStages: [FilterDocuments] = {
  do {
    return try FilterRules.names.map { name in
      var configuration = FilterConfiguration(rules: try FilterRules(parsing: name))
      configuration.language.annotates = name == "none"
      configuration.masksPersonalData = name == "none"
      return try FilterDocuments(configuration)
    }
  } catch { fatalError("\(error)") }
}()
