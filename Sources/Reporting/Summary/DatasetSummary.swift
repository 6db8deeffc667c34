import Documents
import Tokens

/// The size of a token dataset, in all and by source and label.
package struct DatasetSummary: Sendable {
  /// The documents with one source or label.
  package struct Part: Sendable {
    package var name: String
    package var documents: Int
    package var tokens: Int
    /// Bytes of text.
    package var bytes: Int
  }

  package var documents: Int
  package var tokens: Int
  /// Bytes of text.
  package var bytes: Int
  package var windows: Int
  package var fingerprint: String
  /// The size of the vocabulary.
  package var vocabulary: Int
  /// The fingerprint of the tokenizer.
  package var tokenizer: String
  /// By descending tokens.
  package var bySource: [Part]
  /// By descending tokens; the label of a document is `metadata.domain`, else its source.
  package var byDomain: [Part]

  package var bytesPerToken: Double { Double(bytes) / Double(max(1, tokens)) }
}

/// What one pass over the documents of a dataset finds.
struct DatasetContents {
  private(set) var summary: DatasetSummary
  /// [documents] the number of the label.
  private(set) var labels: [Int32] = []
  /// The numbers of the labels.
  private(set) var labelNumbers: [String: Int32] = [:]

  init(_ dataset: TokenDataset) throws {
    summary = DatasetSummary(
      documents: dataset.documentCount, tokens: dataset.tokenCount, bytes: dataset.byteCount, windows: dataset.windowCount,
      fingerprint: dataset.fingerprint, vocabulary: dataset.vocabulary, tokenizer: dataset.tokenizer, bySource: [], byDomain: [])
    var sources: [String: DatasetSummary.Part] = [:]
    var domains: [String: DatasetSummary.Part] = [:]
    try dataset.forEachInfo { document, info in
      func add(_ name: String, to parts: inout [String: DatasetSummary.Part]) {
        var part = parts[name] ?? DatasetSummary.Part(name: name, documents: 0, tokens: 0, bytes: 0)
        part.documents += 1
        part.tokens += dataset.length(document)
        part.bytes += info.bytes
        parts[name] = part
      }
      let label = Document.label(members: info.members, source: info.source) ?? "unknown"
      add(info.source ?? "unknown", to: &sources)
      add(label, to: &domains)
      let number = labelNumbers[label] ?? Int32(labelNumbers.count)
      labelNumbers[label] = number
      labels.append(number)
      return true
    }
    func ordered(_ parts: [String: DatasetSummary.Part]) -> [DatasetSummary.Part] {
      parts.values.sorted { ($1.tokens, $0.name) < ($0.tokens, $1.name) }
    }
    summary.bySource = ordered(sources)
    summary.byDomain = ordered(domains)
  }
}
