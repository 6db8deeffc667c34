import Documents
import Pipeline

/// Counts how often each pre-token occurs in the documents of line blocks.
struct CountDocuments: Stage {
  struct Part: Sendable {
    var words = WordCounts()
    var texts = 0
    var bytes = 0
  }

  let parse: ParseDocuments
  let pretokenizer: Pretokenizer

  /// Bytes of lines that are counted together: few enough for memory, and enough that most words occur often.
  private static let groupBytes = 4 << 20

  var name: String? { parse.name }

  func apply(_ blocks: [LineBlock], tally: inout Tally) throws -> Part {
    var part = Part()
    for block in blocks {
      for document in try parse.apply(block, tally: &tally) {
        document.text.withUnsafeBufferPointer { part.words.add(text: $0, pretokenizer: pretokenizer) }
        part.texts += 1
        part.bytes += document.text.count
      }
    }
    return part
  }

  /// The next blocks, nil at the end.
  static func group(of source: DocumentSource) throws -> [LineBlock]? {
    var blocks: [LineBlock] = []
    var bytes = 0
    while bytes < groupBytes, let block = try source.next() {
      bytes += block.count
      blocks.append(block)
    }
    return blocks.isEmpty ? nil : blocks
  }
}
