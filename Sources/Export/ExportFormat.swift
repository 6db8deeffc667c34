/// The formats of other trainers that tokens are exported to; see docs/FORMATS.md.
package enum ExportFormat: String, Sendable, Codable, CaseIterable {
  /// Flat arrays behind numpy's header, as `numpy.load` reads them.
  case npy
  /// Flat arrays without a header and a `.csv.gz` of the documents' borders, as OLMo-core reads them.
  case olmo
  /// Flat arrays behind llm.c's header, each document begun by its token.
  case llmc
  /// MosaicML's shards, a sample a document, as `streaming.StreamingDataset` reads them.
  case mds

  /// Whether the end-of-document token stands before a document instead of after it: llm.c's scripts write it so, and loaders that
  /// look for the beginning of a document rely on it.
  var marksBeginnings: Bool { self == .llmc }

  /// Tokens after which a new file begins where nothing else was asked for; nil for MDS, which goes by bytes.
  package var defaultShardTokens: Int? { self == .mds ? nil : 100_000_000 }

  /// Bytes of a token: u16 where every id fits, else u32.
  package static func tokenBytes(vocabulary: Int) -> Int { vocabulary <= 1 << 16 ? 2 : 4 }
}
