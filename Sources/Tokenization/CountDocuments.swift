import Documents
import Pipeline

/// Blocks of lines → how often each pre-token of their documents occurs.
struct CountDocuments: Stage {
  /// What was counted.
  struct Part: Sendable {
    var words = WordCounts()
    var texts = 0
    var bytes = 0
  }

  let parse: ParseDocuments
  let pretokenizer: Pretokenizer

  /// Bytes of lines that are counted by themselves: few enough for memory, enough that most words come often.
  private static let stretchBytes = 4 << 20

  var names: [String] { parse.names }

  func apply(_ blocks: [LineBlock], ledger: inout Ledger, offset: Int) throws -> Part {
    var part = Part()
    for block in blocks {
      for document in try parse.apply(block, ledger: &ledger, offset: offset) {
        document.text.withUnsafeBufferPointer { part.words.add(text: $0, pretokenizer: pretokenizer) }
        part.texts += 1
        part.bytes += document.text.count
      }
    }
    return part
  }

  /// The next blocks, nil at the end.
  static func stretch(of source: DocumentSource) throws -> [LineBlock]? {
    var blocks: [LineBlock] = []
    var bytes = 0
    while bytes < stretchBytes, let block = try source.next() {
      bytes += block.count
      blocks.append(block)
    }
    return blocks.isEmpty ? nil : blocks
  }
}
