import Deduplication
import Filtering
import Pipeline
import Primitives

@testable import Artifacts
@testable import Documents
@testable import Tokens

/// The stages that look at texts, on texts that nobody wrote: their kernels cut words, lines and scalars out of bytes.
extension FuzzTarget {
  /// Up to eight texts, parted by the byte FF; valid UTF-8, as every document's is.
  private static func documents(_ input: [UInt8]) -> [Document] {
    input.split(separator: 0xFF, maxSplits: 7, omittingEmptySubsequences: false).enumerated().map { number, bytes in
      Document(id: "\(number)", text: Array(String(decoding: bytes, as: UTF8.self).utf8), origin: "x:\(number + 1)")
    }
  }

  /// Every rule, with languages and masks: no document is lost, and its verdict does not depend on those beside it.
  static func filters(_ input: [UInt8]) throws {
    let documents = documents(input)
    for stage in filterStages { try filter(documents, by: stage) }
  }

  private static func filter(_ documents: [Document], by stage: FilterDocuments) throws {
    func filtered(_ batch: [Document]) throws -> [Document] {
      var tally = Tally(stage: stage.name ?? "", keepsRejects: true)
      let kept = try stage.apply(batch, tally: &tally)
      if !tally.account.isBalanced || tally.account.output != kept.count { finding("a document is lost") }
      if kept.contains(where: { String(validating: $0.text, as: UTF8.self) == nil }) { finding("a text that is no UTF-8 any more") }
      return kept
    }
    let together = try filtered(documents)
    if try documents.flatMap({ try filtered([$0]) }) != together { finding("a verdict depends on other documents") }
  }

  /// Fingerprints, shingles, signatures and evaluation texts: pieces lie in the text, and a text is its own duplicate.
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
      if zip(shingles, shingles.dropFirst()).contains(where: { $0 >= $1 }) { finding("shingles out of order") }
      if !shingles.isEmpty, ShingleDocuments.similarity(shingles, shingles) != 1 { finding("a text is not like itself") }
    }
    guard let index = try? EvaluationIndex([documents[0]]) else { return }
    let kept = try Decontaminate(index).apply(documents, tally: &tally)
    if kept.first?.id == documents[0].id { finding("an evaluation text is not found in itself") }
  }
}

/// A stage for each group of rules, as a document sees no rule after the first that it breaks; the last with languages and masks.
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
