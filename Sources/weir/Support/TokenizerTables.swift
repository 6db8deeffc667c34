import Documents
import Foundation
import Primitives
import Tokenization

extension TokenizerReport {
  /// The report on documents by `Document.label`.
  init(_ tokenizer: Tokenizer, byDomain documents: [Document]) { self.init(tokenizer, documents: documents) { $0.label ?? "" } }

  /// The vocabulary by kind of token.
  var vocabularyTable: String {
    let withUse = overall.tokens > 0
    return TextTable(
      ["kind of token", "count", "mean bytes"] + (withUse ? ["used", "% of tokens"] : []),
      rows: kinds.map { row in
        [row.kind.rawValue, Format.count(row.tokens), String(format: "%.1f", row.meanBytes)]
          + (withUse ? [Format.count(row.used), String(format: "%.1f", row.share * 100)] : [])
      }
    ).text()
  }

  /// Compression of the documents, overall and by domain.
  var compressionLines: [String] {
    guard overall.documents > 0 else { return [] }
    let coverage = (coverage ?? [:]).sorted { $0.key < $1.key }.map { "\(Format.count($0.value)) tokens cover \($0.key) %" }
    return [
      String(format: "  %.3f bytes per token, %.1f %% of the vocabulary used; ", overall.bytesPerToken, used * 100)
        + coverage.joined(separator: ", "),
      TextTable(
        ["domain", "documents", "bytes", "tokens", "bytes per token"],
        rows: (byDomain ?? bySource).sorted { $0.key < $1.key }.map {
          [
            $0.key, Format.count($0.value.documents), Format.count($0.value.bytes), Format.count($0.value.tokens),
            String(format: "%.3f", $0.value.bytesPerToken),
          ]
        }
      ).text(),
    ]
  }
}
