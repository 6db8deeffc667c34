/// The formats of other trainers that tokens can be exported to; see docs/FORMATS.md.
package enum ExportFormat: String, Sendable, Codable, CaseIterable {
  /// Flat arrays with NumPy's header, for `numpy.load`.
  case npy
  /// Flat arrays without a header, and a `.csv.gz` with the document boundaries, for OLMo-core.
  case olmo
  /// Flat arrays with llm.c's header; the end-of-document token precedes each document.
  case llmc
  /// MosaicML's MDS shards, one sample per document, for `streaming.StreamingDataset`.
  case mds

  /// Whether the end-of-document token precedes a document instead of following it: llm.c's scripts write it so, and loaders that look for the
  /// start of a document rely on it.
  var marksBeginnings: Bool { self == .llmc }

  /// The default number of tokens after which a new file starts; nil for MDS, which goes by bytes.
  package var defaultShardTokens: Int? { self == .mds ? nil : 100_000_000 }

  /// Bytes per token: u16 if every id fits, else u32.
  package static func tokenBytes(vocabulary: Int) -> Int { vocabulary <= 1 << 16 ? 2 : 4 }
}
