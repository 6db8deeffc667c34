import Tokens

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
  /// `.bin` and `.idx` pairs of Megatron-LM, one sequence per document or segment.
  case megatron

  /// Whether the end-of-document token precedes a document instead of following it: llm.c's scripts write it so, and loaders that look for the
  /// start of a document rely on it.
  var marksBeginnings: Bool { self == .llmc }

  /// The default number of tokens after which a new file starts; nil for MDS, which goes by bytes.
  package var defaultShardTokens: Int? {
    switch self {
    case .mds: nil
    // A blend names every pair.
    case .megatron: 1 << 28
    case .npy, .olmo, .llmc: 100_000_000
    }
  }

  /// Whether the rows of a mixture stay rows. The others become its segments: what reads them knows a document by its sequence or by its
  /// end-of-document token, and cuts rows itself.
  package var keepsRows: Bool { ![.llmc, .megatron].contains(self) }

  /// Bytes per token: u16 if every id fits, else 32 bits.
  package func tokenBytes(vocabulary: Int) -> Int {
    self == .megatron ? MegatronIndex.tokenBytes(vocabulary: vocabulary) : vocabulary <= 1 << 16 ? 2 : 4
  }
}
